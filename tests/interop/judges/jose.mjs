// The profile sealed-json: npm jose opens the packet, Node's HKDF and HMAC make the keys and check the signature.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader, FlattenedEncrypt, flattenedDecrypt } from 'jose';

function keysOf(headers, secret) {
  const root = Buffer.from(secret.slice('rfsec_'.length), 'base64');
  const session = Buffer.from(headers['x-roboflux-session'], 'base64url');
  return (purpose, length) =>
    Buffer.from(hkdfSync('sha512', root, session, `wh-sealed-json-v1|${purpose}`, length));
}

export async function encryptedAnswer({ body, headers, secret, answer }) {
  const { kid, sid, nonce } = decodeProtectedHeader(JSON.parse(body));
  const header = { alg: 'dir', enc: 'A256GCM', kid, sid, rnonce: nonce, cty: 'application/json' };
  const packet = new FlattenedEncrypt(Buffer.from(answer)).setProtectedHeader(header);
  return JSON.stringify(await packet.encrypt(keysOf(headers, secret)('enc-resp', 32)));
}

export async function verify({ body, headers, secret }) {
  const key = keysOf(headers, secret);
  const { 'x-roboflux-timestamp': when, 'x-roboflux-nonce': nonce } = headers;
  if (Math.abs(Date.now() / 1000 - Number(when)) > 300) throw new Error('too old');

  const mac = createHmac('sha512', key('mac', 64)).update(`${when}.${nonce}.`).update(body).digest('hex');
  const given = Buffer.from(headers['x-roboflux-signature']);
  const expected = Buffer.from(`v1=${mac}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Error('another signature');
  if (headers['x-roboflux-token'] !== key('token', 32).toString('base64url')) throw new Error('another token');

  const { plaintext, protectedHeader } = await flattenedDecrypt(JSON.parse(body), key('enc-req', 32));
  const { ts, nonce: bound, sid } = protectedHeader;
  if (String(ts) !== when || bound !== nonce || sid !== headers['x-roboflux-session']) {
    throw new Error('the packet is of another request');
  }
  return Buffer.from(plaintext).toString('utf8');
}
