// Receives deliveries and lets libraries that we did not write say whether they are good.
//
// Started by interop_test.cc. Listens on a free port and says which: {"port":40123}. Each path is judged by
// one library with one secret, told beforehand by
//
//   PUT /standard {"library": "standardwebhooks", "secret": "whsec_…"}
//
// For every POST it prints one line:
//   accepted         the library took the request as it came
//   problem          why not; absent if it did
//   event            what the library parsed out of the body
//   headers, body    as they came (body as base64)
//   refused          of the same request, changed in one respect, whether the library refused it:
//                    tampered_body, stale, wrong_secret. A judge that accepts everything proves nothing.
//
// A path that begins with /flaky- answers 503 to the first request of each id, and 204 to the next.
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

const STALE_SECONDS = 301; // both libraries tolerate 300

// Each judge throws unless the request is good. `age` is how many seconds ago it was signed.
const libraries = {
  standardwebhooks({ body, headers, secret, age = 0 }) {
    const realNow = Date.now;
    Date.now = () => realNow() + age * 1000; // the library has no parameter for the time
    try {
      return new Webhook(secret).verify(body, headers);
    } finally {
      Date.now = realNow;
    }
  },
  stripe({ body, headers, secret, age = 0 }) {
    const receivedAt = Date.now() + age * 1000;
    const header = headers['webhook-signature'];
    return Stripe.webhooks.constructEvent(body, header, secret, 300, undefined, receivedAt);
  },
};

function refuses(judge, request) {
  try {
    judge(request);
    return false;
  } catch {
    return true;
  }
}

// One digit or letter of the payload changed, so that it is still JSON.
function tampered(body) {
  const text = body.toString('utf8');
  const changed = text.replace(/[0-9a-zA-Z](?=[^0-9a-zA-Z]*$)/, (c) => (c === '1' ? '2' : '1'));
  if (changed === text) throw new Error('nothing to tamper with');
  return Buffer.from(changed, 'utf8');
}

function otherSecret(secret) {
  const at = secret.length - 1;
  return secret.slice(0, at) + (secret[at] === 'A' ? 'Q' : 'A');
}

function verdict(path, { library, secret }, headers, body) {
  const judge = libraries[library];
  const line = { path, library, headers, body: body.toString('base64') };
  try {
    line.event = judge({ body, headers, secret });
    line.accepted = true;
  } catch (error) {
    line.accepted = false;
    line.problem = error.message;
  }
  line.refused = {
    tampered_body: refuses(judge, { body: tampered(body), headers, secret }),
    stale: refuses(judge, { body, headers, secret, age: STALE_SECONDS }),
    wrong_secret: refuses(judge, { body, headers, secret: otherSecret(secret) }),
  };
  return line;
}

const assignments = new Map();
const seen = new Set();

function statusFor(path, id) {
  const delivery = `${path} ${id}`;
  if (!path.startsWith('/flaky-') || seen.has(delivery)) return 204;
  seen.add(delivery);
  return 503;
}

async function handle(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  if (request.method === 'PUT') {
    assignments.set(request.url, JSON.parse(body.toString('utf8')));
    response.writeHead(204).end();
    return;
  }
  const assignment = assignments.get(request.url);
  const line = assignment
    ? verdict(request.url, assignment, request.headers, body)
    : { path: request.url, accepted: false, problem: 'nobody told which library judges this path' };
  process.stdout.write(JSON.stringify(line) + '\n');
  response.writeHead(statusFor(request.url, request.headers['idempotency-key'])).end();
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    process.stderr.write(error.stack + '\n');
    response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(JSON.stringify({ port: server.address().port }) + '\n');
});
