// Slack's library.
import bolt from '@slack/bolt';

export function verify({ body, headers, secret }) {
  const text = body.toString('utf8');
  bolt.verifySlackRequest({
    signingSecret: secret,
    body: text,
    headers: {
      'x-slack-signature': headers['x-slack-signature'],
      'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
    },
  });
  return JSON.parse(text);
}
