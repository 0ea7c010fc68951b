// Standard Webhooks' asymmetric signatures: Node's own Ed25519, because no library checks v1a. The secret is
// the public key, whpk_….
import { createPublicKey, verify as verifySignature } from 'node:crypto';

export function verify({ body, headers, secret }) {
  const raw = Buffer.from(secret.slice('whpk_'.length), 'base64');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const { 'webhook-id': id, 'webhook-timestamp': when, 'webhook-signature': signatures } = headers;
  if (Math.abs(Date.now() / 1000 - Number(when)) > 300) throw new Error('too old');
  const content = Buffer.concat([Buffer.from(`${id}.${when}.`), body]);
  const good = signatures
    .split(' ')
    .filter((entry) => entry.startsWith('v1a,'))
    .some((entry) => verifySignature(null, content, key, Buffer.from(entry.slice(4), 'base64')));
  if (!good) throw new Error('no v1a that matches');
  return JSON.parse(body.toString('utf8'));
}
