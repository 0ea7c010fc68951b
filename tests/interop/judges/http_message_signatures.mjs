// HTTP message signatures by http-message-signatures, in the way of docs/RECEIVERS.md. The secret is the public
// key as the API shows it, or a shared secret. With `jwks`, the published key set, that key must stand there
// under the request's keyid; jose reads it. With `by_keyid` the judge knows its key under its own keyid only, as a
// receiver does that takes several; otherwise every signature has to be by this key.
import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, importJWK } from 'jose';
import { httpsig } from '../guide/receive_httpsig.mjs';

const ALGORITHMS = { httpsig: 'ed25519', 'httpsig-p256': 'ecdsa-p256-sha256', 'httpsig-hmac': 'hmac-sha256' };

function keyOf(secret, profile) {
  if (profile === 'httpsig-hmac') return Buffer.from(secret);
  if (profile === 'httpsig-p256') {
    return createPublicKey({ key: Buffer.from(secret, 'base64'), format: 'der', type: 'spki' });
  }
  const x = Buffer.from(secret.slice('whpk_'.length), 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

async function requirePublished(key, keyid, jwks) {
  const jwk = jwks.keys.find((one) => one.kid === keyid);
  if (!jwk) throw new Error(`no key ${keyid} is published`);
  if ((await calculateJwkThumbprint(jwk)) !== keyid) throw new Error('kid is not the thumbprint');
  await importJWK(jwk); // throws if jose cannot use it
  if (!createPublicKey({ key: jwk, format: 'jwk' }).equals(key)) throw new Error('another key is published');
}

// The thumbprint of a public key; of a shared secret what docs/SIGNING.md says of {kid}.
const keyidOf = (key) =>
  Buffer.isBuffer(key)
    ? createHash('sha256').update(key).digest('hex').slice(0, 16)
    : calculateJwkThumbprint(key.export({ format: 'jwk' }));

export async function verify({ body, headers, secret, profile, requestedUrl, jwks, by_keyid: byKeyid }) {
  const key = keyOf(secret, profile);
  const known = byKeyid && (await keyidOf(key));
  await httpsig(requestedUrl, headers, body, ALGORITHMS[profile], async (keyid) => {
    if (byKeyid && keyid !== known) return undefined;
    if (jwks) await requirePublished(key, keyid, jwks);
    return key;
  });
  return body.length;
}
