"""The receiver written from EnGenius' page, which names no age at which a request is too old."""
import json

from seed_receivers import engenius


def verify(body, headers, secret, **_):
    engenius.receive(headers, body, secret)
    return json.loads(body)
