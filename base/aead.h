// Encryption under keys that are derived for one purpose: AES-256-GCM (NIST SP 800-38D) with the
// nonce chosen by the caller, and HKDF-SHA512 (RFC 5869). For secrets at rest there is
// encrypt_at_rest() in base/crypto.h.
//
// Threads: safe from any. Errors as in base/crypto.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.h"

namespace sealpost {

inline constexpr std::size_t kGcmKeyBytes = 32;
inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

struct GcmSealed {
  std::string ciphertext;  // as long as the text
  std::string tag;
};

// The same key and nonce must never serve for two texts.
GcmSealed gcm_seal(const SecretText& key, std::string_view nonce, std::string_view context,
                   std::string_view text);
// nullopt: wrong key, other context, damaged, or a nonce or tag of the wrong length.
std::optional<SecretText> gcm_open(const SecretText& key, std::string_view nonce,
                                   std::string_view context, const GcmSealed& sealed);

SecretText hkdf_sha512(const SecretText& key, std::string_view salt, std::string_view info,
                       std::size_t bytes);

}  // namespace sealpost
