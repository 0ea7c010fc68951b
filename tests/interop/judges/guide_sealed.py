"""The Python code of docs/RECEIVERS.md for sealed-json."""
from guide.sealed_json import open_request


def verify(headers, body, secret, **_):
    text, _ = open_request(headers, body, secret, lambda nonce: True)
    try:
        open_request(headers, body, secret, lambda nonce: False)
    except Exception:
        return text.decode()
    raise ValueError("it takes a nonce twice")


def answer(headers, body, secret, answer, **_):
    _, encrypt = open_request(headers, body, secret, lambda nonce: True)
    return encrypt(answer)
