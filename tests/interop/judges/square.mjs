// Square's library.
import { WebhooksHelper } from 'square';

export async function verify({ body, headers, secret, url }) {
  const text = body.toString('utf8');
  const good = await WebhooksHelper.verifySignature({
    requestBody: text,
    signatureHeader: headers['x-square-hmacsha256-signature'],
    signatureKey: secret,
    notificationUrl: url,
  });
  if (!good) throw new Error('verifySignature() says no');
  return JSON.parse(text);
}
