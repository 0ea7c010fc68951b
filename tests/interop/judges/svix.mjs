// Svix's library, for the receivers that came from there.
import { Webhook } from 'svix';

export function verify({ body, headers, secret }) {
  return new Webhook(secret).verify(body, headers);
}
