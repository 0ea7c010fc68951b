// Adyen's library. It is given the signature; the header's name is Adyen's documentation's.
import { hmacValidator } from '@adyen/api-library';

export function verify({ body, headers, secret }) {
  const text = body.toString('utf8');
  if (!new hmacValidator().validateHMACSignature(secret, headers.hmacsignature, text)) {
    throw new Error('validateHMACSignature() says no');
  }
  return JSON.parse(text);
}
