// The receiver of docs/RECEIVERS.md that is asked first.
import * as guide from '../guide/consent.mjs';
import { slack } from '../guide/receive.mjs';

export async function verify({ headers, body, secret }) {
  await slack(headers, body, secret);
  return JSON.parse(body.toString('utf8'));
}

export const consent = (headers) => guide.consent(headers, ['sender.example'], 90);
export const answer = (body, { secret }) => guide.answerChallenge(body, secret);
