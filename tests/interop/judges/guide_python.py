"""The Python code of docs/RECEIVERS.md."""
import json

from guide import receive, receive_v1a


def verify(profile, headers, body, secret, url, requested_url, **_):
    name = profile.replace("-", "_")
    function = getattr(receive, name, None) or getattr(receive_v1a, name)
    more = {"square": [url], "twilio-json": [requested_url]}.get(profile, [])
    function(headers, body, secret, *more)
    return json.loads(body)
