// The CloudEvents SDK, in both modes. Signatures are other judges' business: this one is asked about the form.
import { CloudEvent, HTTP } from 'cloudevents';

export function verify({ body, headers }) {
  const event = HTTP.toEvent({ headers, body: body.toString('utf8') });
  if (!(event instanceof CloudEvent)) throw new Error('not one event');
  event.validate();
  return event.toJSON();
}
