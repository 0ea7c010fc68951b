// The sample receiver of the Pandora document.
import { receive } from '../seed_receivers/pandora.mjs';

export function verify({ body, headers, secret }) {
  receive({ headers, rawBody: body }, secret);
  return JSON.parse(body.toString('utf8'));
}
