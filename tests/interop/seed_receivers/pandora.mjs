// The sample receiver of "Pandora Core - Webhook Specification" v1.0, as it stands there ("Example:
// Validation Implementation"). Added, because it cannot run without: the import of crypto, and a way to set
// clientSecret, which the sample takes from somewhere.
import crypto from 'node:crypto';

let clientSecret;

export function receive(req, secret) {
  clientSecret = secret;
  verifyWebhook(req);
}

const TOLERANCE = 300; // 5 minutes

function verifyWebhook(req) {
  const timestamp = parseInt(req.headers['x-core-timestamp']);
  const now = Math.floor(Date.now() / 1000);

  // 1. Timestamp Check
  if (Math.abs(now - timestamp) > TOLERANCE) {
    throw new Error('Timestamp out of tolerance'); // Reject
  }

  // 2. Signature Check
  const signature = req.headers['x-core-signature'];
  const expected = crypto
    .createHmac('sha256', clientSecret)
    .update(req.rawBody) // Critical: Raw Buffer
    .digest('hex');

  if (!crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
     throw new Error('Invalid Signature');
  }
}
