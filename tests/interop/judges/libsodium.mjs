// libsodium, compiled for Node. The secret is the receiver's private key, in hex.
import sodium from 'libsodium-wrappers';

await sodium.ready;

export function verify({ body, secret, fingerprint }) {
  const envelope = JSON.parse(body);
  const boxes = envelope.recipients ?? [envelope];
  const mine = boxes.find((one) => one.key_fingerprint === fingerprint);
  const box = sodium.from_base64(mine.ciphertext, sodium.base64_variants.ORIGINAL);
  const text = sodium.crypto_box_open_easy(
    box.subarray(56), box.subarray(32, 56), box.subarray(0, 32), sodium.from_hex(secret));
  return sodium.to_string(text);
}
