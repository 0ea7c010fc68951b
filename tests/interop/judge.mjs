// Receives deliveries and lets libraries that we did not write say whether they are good.
//
// Started by the interop tests with the files of a certificate and its key. Listens by TLS on a free port and
// says which: {"port":40123}. Each path is judged by one library, told beforehand by
//
//   PUT /a {"library": "standardwebhooks", "profile": "standard", "secret": "whsec_…"}
//
// judges/LIBRARY.mjs knows how to ask that library. It exports
//   verify({ body, headers, requestedUrl, profile, secret, … })    with all that the assignment says
// which returns what the library made of the body, and throws if the library refuses the request.
//
// For every POST one line is printed:
//   accepted         the library took the request as it came
//   problem          why not; absent if it did
//   event            what the library made of the body
//   headers, body    as they came (body as base64)
//   refused          of the same request, changed in one respect, whether the library refused it:
//                    tampered_body, wrong_secret, stale. A judge that accepts everything proves nothing.
//
// A judge may also export consent(headers), the headers that OPTIONS is answered with, and answer(body, assignment), a
// body for what was accepted.
//
// A path that begins with /flaky- answers 503 to the first request of each id, and 204 to the next. With
// "strict": true in its assignment, a path answers 403 to what its library refuses; otherwise 204.
// judge.py does the same with Python's libraries.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const STALE_SECONDS = 301; // no library tolerates more than 300

// Libraries have no parameter for the time, so the clock is set for as long as one is asked.
async function later(seconds, ask) {
  const realNow = Date.now;
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      given.length === 0 ? super(realNow() + seconds * 1000) : super(...given);
    }
    static now() {
      return realNow() + seconds * 1000;
    }
  };
  try {
    return await ask();
  } finally {
    globalThis.Date = RealDate;
  }
}

async function refuses(ask) {
  try {
    await ask();
    return false;
  } catch {
    return true;
  }
}

function replacedAt(text, at) {
  return text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1);
}

// One digit or letter of the payload changed; of an encrypted one, in each ciphertext.
function tampered(body) {
  const text = body.toString('utf8');
  if (text.includes('"ciphertext":')) {
    return Buffer.from(text.replace(/"ciphertext":"[^"]*"/g, (box) => replacedAt(box, box.length >> 1)));
  }
  const changed = text.replace(/[0-9a-zA-Z](?=[^0-9a-zA-Z]*$)/, (c) => (c === '1' ? '2' : '1'));
  if (changed === text) throw new Error('nothing to tamper with');
  return Buffer.from(changed, 'utf8');
}

// In the middle, so that it is still a secret of the same form.
const otherSecret = (secret) => replacedAt(secret, secret.length >> 1);

async function verdict({ judge, ...assignment }, path, requestedUrl, headers, body) {
  const request = { ...assignment, body, headers, requestedUrl };
  const { library, secret } = assignment;
  const line = { path, library, headers, body: body.toString('base64') };
  try {
    line.event = await judge.verify(request);
    line.accepted = true;
  } catch (error) {
    line.accepted = false;
    line.problem = error.message;
  }
  line.refused = {
    tampered_body: await refuses(() => judge.verify({ ...request, body: tampered(body) })),
    wrong_secret: await refuses(() => judge.verify({ ...request, secret: otherSecret(secret) })),
    stale: await later(STALE_SECONDS, () => refuses(() => judge.verify(request))),
  };
  return line;
}

const assignments = new Map();
const seen = new Set();
let judged = Promise.resolve(); // one after the other, because they share a clock

function statusFor(path, id, { strict }, { accepted }) {
  if (strict && !accepted) return 403;
  const delivery = `${path} ${id}`;
  if (!path.startsWith('/flaky-') || seen.has(delivery)) return 204;
  seen.add(delivery);
  return 503;
}

async function handle(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const path = request.url.split('?')[0];
  if (request.method === 'PUT') {
    const assignment = JSON.parse(body.toString('utf8'));
    const judge = await import(`./judges/${assignment.library}.mjs`); // only when needed: some take seconds
    assignments.set(path, { ...assignment, judge });
    response.writeHead(204).end();
    return;
  }
  const assignment = assignments.get(path);
  if (request.method === 'OPTIONS') {
    response.writeHead(204, assignment.judge.consent(request.headers)).end();
    return;
  }
  const requestedUrl = `https://${request.headers.host}${request.url}`;
  judged = judged.then(() => verdict(assignment, path, requestedUrl, request.headers, body));
  const line = await judged;
  process.stdout.write(JSON.stringify(line) + '\n');
  const text = line.accepted ? assignment.judge.answer?.(body, assignment) : undefined;
  if (text) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    return;
  }
  if (line.accepted && assignment.answer !== undefined) {
    const packet = await assignment.judge.encryptedAnswer({ ...assignment, headers: request.headers, body });
    response.writeHead(200, { 'content-type': 'application/jose+json' }).end(packet);
    return;
  }
  response.writeHead(statusFor(path, request.headers['idempotency-key'], assignment, line)).end();
}

const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
const server = createServer({ cert, key }, (request, response) => {
  handle(request, response).catch((error) => {
    process.stderr.write(error.stack + '\n');
    response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(JSON.stringify({ port: server.address().port }) + '\n');
});
