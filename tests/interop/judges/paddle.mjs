// Paddle's library.
import { Paddle } from '@paddle/paddle-node-sdk';

const paddle = new Paddle('no key is needed to verify');

export async function verify({ body, headers, secret }) {
  const text = body.toString('utf8');
  if (!(await paddle.webhooks.isSignatureValid(text, secret, headers['paddle-signature']))) {
    throw new Error('isSignatureValid() says no');
  }
  return JSON.parse(text);
}
