"""PyNaCl, in the way of docs/RECEIVERS.md. The secret is the receiver's private key, in hex."""
from guide import open_body


def verify(body, secret, fingerprint, **_):
    return open_body.open_body(body, bytes.fromhex(secret), fingerprint).decode()
