"""The sample receivers of ItPay's "Webhook Encryption", as they stand there; indentation is restored.

Changed, because it cannot run otherwise:
- `import json` is missing in the document.
- crypto_box_open_afternm() takes three arguments, the last of them the key that crypto_box_beforenm() makes of
  the two keys. The document hands over the two keys themselves, which is a TypeError in PyNaCl.
"""
import base64
import hashlib
import hmac
import json
import time

from nacl.bindings import crypto_box_beforenm, crypto_box_open_afternm


# "Verify" in "HMAC-SHA256 Signature (Authenticity)".
def verify_signature(payload: bytes, header: str, secret: bytes) -> bool:
    # Parse header
    parts = dict(p.split("=") for p in header.split(","))
    t = parts["t"]
    v1 = parts["v1"]

    # Reconstruct signed payload
    signed_payload = f"{t}.{payload.decode()}"

    # Compute expected HMAC
    expected = hmac.new(secret, signed_payload.encode(), hashlib.sha256).hexdigest()

    # Constant-time comparison
    return hmac.compare_digest(v1, expected)


# "Decryption Code (Python)".
def decrypt_webhook(payload: dict, private_key: bytes) -> bytes:
    """Decrypt an E2E-encrypted webhook payload."""
    ciphertext = base64.b64decode(payload["ciphertext"])
    # NaCl box: ephemeral_pk (32) + nonce (24) + ciphertext
    ephemeral_pk = ciphertext[:32]
    nonce = ciphertext[32:56]
    ct = ciphertext[56:]
    # document: return crypto_box_open_afternm(ct, nonce, ephemeral_pk, private_key)
    return crypto_box_open_afternm(ct, nonce, crypto_box_beforenm(ephemeral_pk, private_key))


# "Verification Code (Python)".
def verify_and_decrypt(
    raw_body: bytes,
    signature_header: str,
    webhook_secret: bytes,
    private_key: bytes | None = None
) -> dict | None:
    parts = dict(p.split("=", 1) for p in signature_header.split(","))
    t = int(parts["t"])
    v1 = parts["v1"]

    # 1. Timestamp check (±5 min skew)
    if abs(time.time() - t) > 300:
        raise ValueError("webhook_signature_invalid: timestamp skew too large")

    # 2. Verify HMAC on raw body (before decryption)
    signed_payload = f"{t}.{raw_body.decode()}"
    expected = hmac.new(webhook_secret, signed_payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(v1, expected):
        raise ValueError("webhook_signature_invalid: HMAC mismatch")

    # 3. Decrypt if E2E is active
    if private_key and "enc" in parts:
        payload = json.loads(raw_body)
        decrypted = decrypt_webhook(payload, private_key)
        return json.loads(decrypted)

    return json.loads(raw_body)
