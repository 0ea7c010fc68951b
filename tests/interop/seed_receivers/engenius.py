"""A receiver written from the page "Security" of EnGenius Cloud, which has no sample code.

What the page leaves open (how the signature is encoded, the unit of the timestamp) is as Sealpost chose:
lower-case hex, Unix seconds.
"""
import hashlib
import hmac


def receive(headers: dict, raw_body: bytes, shared_secret: str) -> None:
    timestamp = headers["x-engenius-timestamp"]
    # message = X-EnGenius-Timestamp + raw webhook request body
    message = timestamp.encode() + raw_body
    # signature = HMAC_SHA256(shared_secret, message)
    signature = hmac.new(shared_secret.encode(), message, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, headers["x-engenius-signature"]):
        raise ValueError("the signatures do not match")
