// The Node code of docs/RECEIVERS.md.
import * as guide from '../guide/receive.mjs';

export async function verify({ profile, headers, body, secret }) {
  await guide[profile](headers, body, secret);
  return JSON.parse(body.toString('utf8'));
}
