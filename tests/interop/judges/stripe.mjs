// Stripe's library.
import Stripe from 'stripe';

export function verify({ body, headers, secret }) {
  const header = headers['stripe-signature'] ?? headers['webhook-signature']; // profile itpay has its own name for it
  return Stripe.webhooks.constructEvent(body, header, secret);
}
