// tweetnacl, in the way of docs/RECEIVERS.md. The secret is the receiver's private key, in hex.
import { openBody } from '../guide/open_body.mjs';

export function verify({ body, secret, fingerprint }) {
  return openBody(body, Buffer.from(secret, 'hex'), fingerprint).toString('utf8');
}
