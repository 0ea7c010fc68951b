// Twilio's library, for bodies that are forms.
import { parse } from 'node:querystring';
import twilio from 'twilio';

export function verify({ body, headers, secret, requestedUrl }) {
  const fields = { ...parse(body.toString('utf8')) };
  if (!twilio.validateRequest(secret, headers['x-twilio-signature'], requestedUrl, fields)) {
    throw new Error('validateRequest() says no');
  }
  return fields;
}
