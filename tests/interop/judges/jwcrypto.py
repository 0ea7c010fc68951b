"""The profile sealed-json: jwcrypto opens the packet, and makes the answer. It looks at nothing else; jose.mjs does."""
import base64
import json

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwcrypto import jwe, jwk


def key(headers, secret, purpose):
    root = base64.b64decode(secret.removeprefix("rfsec_"))
    session = base64.urlsafe_b64decode(headers["x-roboflux-session"] + "==")
    info = b"wh-sealed-json-v1|" + purpose
    bytes = HKDF(algorithm=SHA512(), length=32, salt=session, info=info).derive(root)
    return jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(bytes).decode().rstrip("="))


def opened(body, headers, secret):
    packet = jwe.JWE()
    packet.deserialize(body.decode(), key(headers, secret, b"enc-req"))
    return packet


def verify(body, headers, secret, **_):
    return opened(body, headers, secret).payload.decode()


def answer(body, headers, secret, answer, **_):
    request = opened(body, headers, secret).jose_header
    header = {"alg": "dir", "enc": "A256GCM", "kid": request["kid"], "sid": request["sid"], "rnonce": request["nonce"]}
    return jwe.JWE(answer.encode(), json.dumps(header), recipient=key(headers, secret, b"enc-resp")).serialize()
