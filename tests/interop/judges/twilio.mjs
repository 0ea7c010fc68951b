// Twilio's library, for JSON bodies. The URL is the requested one: the body's digest stands in its query.
import twilio from 'twilio';

export function verify({ body, headers, secret, requestedUrl }) {
  const text = body.toString('utf8');
  if (!twilio.validateRequestWithBody(secret, headers['x-twilio-signature'], requestedUrl, text)) {
    throw new Error('validateRequestWithBody() says no');
  }
  return JSON.parse(text);
}
