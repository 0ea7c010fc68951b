// The Node code of docs/RECEIVERS.md for sealed-json.
import { openRequest } from '../guide/sealed_json.mjs';

export async function verify({ headers, body, secret }) {
  const { text } = await openRequest(headers, body, secret, () => true);
  const again = await openRequest(headers, body, secret, () => false).catch(() => undefined);
  if (again !== undefined) throw new Error('it takes a nonce twice');
  return text.toString('utf8');
}

export async function encryptedAnswer({ headers, body, secret, answer }) {
  const request = await openRequest(headers, body, secret, () => true);
  return request.answer(answer);
}
