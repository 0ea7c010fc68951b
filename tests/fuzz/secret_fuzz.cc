// Secrets and encoded bytes as strangers write them: what is accepted means one thing only.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

// A decoder that took two texts for the same bytes would let one secret have two fingerprints.
void check_decoders(std::string_view text) {
  if (const auto bytes = base64_decode(text)) {
    CHECK(base64_encode(*bytes) == text, "base64 has another spelling");
  }
  if (const auto bytes = base64url_decode(text)) {
    CHECK(base64url_encode(*bytes) == text, "base64url has another spelling");
  }
  if (const auto bytes = hex_decode(text)) {
    CHECK(hex_decode(hex_encode(*bytes)) == bytes, "hex does not come back");
    CHECK(bytes->size() * 2 == text.size(), "hex of another length");
  }
}

void check_secret(std::string_view text) {
  const SecretText secret{std::string(text)};
  for (const SecretDecoding decoding : {SecretDecoding::utf8, SecretDecoding::hex,
                                        SecretDecoding::base64, SecretDecoding::whsec_base64}) {
    const auto key = decode_secret(secret, decoding);
    if (!key) continue;
    CHECK(!key->empty(), "an empty key");
    CHECK(key->size() <= text.size(), "a key longer than its secret");
    if (decoding != SecretDecoding::whsec_base64) continue;
    CHECK(key->size() >= 24 && key->size() <= 64, "Standard Webhooks wants 24 to 64 bytes");
  }
}

// The lengths of the characters add up exactly for well-formed text.
void check_utf8(std::string_view text) {
  std::string_view rest = text;
  while (const std::size_t length = utf8_character_length(rest)) rest.remove_prefix(length);
  CHECK(rest.empty() == is_utf8(text), "two opinions about UTF-8");
}

}  // namespace
}  // namespace sealpost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sealpost::check_decoders(text);
  sealpost::check_secret(text);
  sealpost::check_utf8(text);
  return 0;
}
