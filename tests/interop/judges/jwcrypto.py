"""The profile sealed-json: jwcrypto opens the packet. It looks at nothing else; jose.mjs does."""
import base64

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwcrypto import jwe, jwk


def verify(body, headers, secret, **_):
    root = base64.b64decode(secret.removeprefix("rfsec_"))
    session = base64.urlsafe_b64decode(headers["x-roboflux-session"] + "==")
    key = HKDF(algorithm=SHA512(), length=32, salt=session, info=b"wh-sealed-json-v1|enc-req").derive(root)
    packet = jwe.JWE()
    packet.deserialize(body.decode(), jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(key).decode().rstrip("=")))
    return packet.payload.decode()
