// Standard Webhooks' own library.
import { Webhook } from 'standardwebhooks';

export const checksTime = true;

export function verify({ body, headers, secret }) {
  return new Webhook(secret).verify(body, headers);
}
