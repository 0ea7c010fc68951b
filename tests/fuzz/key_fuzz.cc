// Keys as strangers write them: what is accepted is a key of the right kind and size, and whatever
// text it came in, it is the same key again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "core/encryption_key.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

constexpr std::size_t kX25519Bytes = 32;

void check_encryption_keys(std::string_view text) {
  const auto parsed_public = parse_public_key(text);
  if (const auto* key = std::get_if<std::string>(&parsed_public)) {
    CHECK(key->size() == kX25519Bytes, "a public key of another size");
    CHECK(key_fingerprint(*key).size() == 64, "a fingerprint of another size");
    const auto again = parse_public_key(public_key_text(*key));
    const auto* same = std::get_if<std::string>(&again);
    CHECK(same != nullptr && *same == *key, "our own text means another key");
  }
  const auto parsed_private = parse_private_key(text);
  if (const auto* key = std::get_if<SecretText>(&parsed_private)) {
    CHECK(key->size() == kX25519Bytes, "a private key of another size");
  }
}

void check_signing_keys(std::string_view text) {
  const SecretText secret{std::string(text)};
  if (const auto key = decode_ed25519_secret(secret)) {
    CHECK(key->size() == kEd25519PrivateBytes, "an Ed25519 key of another size");
  }
  if (const auto key = decode_p256_secret(secret)) {
    CHECK(p256_point(key->public_spki()).has_value(), "a P-256 key without a point");
  }
  const auto ed25519 = decode_ed25519_public(text);
  const auto p256 = decode_p256_public(text);
  CHECK(!(ed25519 && p256), "two keys in one text");
  const bool is_public = ed25519.has_value() || p256.has_value();
  CHECK(public_key_jwk(text).empty() != is_public, "a public key that cannot be published");
  CHECK(jwk_thumbprint(text).empty() != is_public, "a public key without a thumbprint");
}

}  // namespace
}  // namespace sealpost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sealpost::check_encryption_keys(text);
  sealpost::check_signing_keys(text);
  return 0;
}
