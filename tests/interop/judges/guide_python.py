"""The Python code of docs/RECEIVERS.md."""
import json

from guide import receive


def verify(profile, headers, body, secret, **_):
    getattr(receive, profile)(headers, body, secret)
    return json.loads(body)
