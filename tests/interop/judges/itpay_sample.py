"""The document's verify_and_decrypt()."""
from seed_receivers import itpay


def verify(body, headers, secret, private_key="", **_):
    key = bytes.fromhex(private_key) or None
    return itpay.verify_and_decrypt(body, headers["webhook-signature"], secret.encode(), key)
