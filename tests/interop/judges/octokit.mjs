// GitHub's library.
import { Webhooks } from '@octokit/webhooks';

export async function verify({ body, headers, secret }) {
  const text = body.toString('utf8');
  const good = await new Webhooks({ secret }).verify(text, headers['x-hub-signature-256']);
  if (!good) throw new Error('verify() says no');
  return JSON.parse(text);
}
