// Encryption of secrets at rest, by OpenSSL, and comparison of secrets.
//
// Threads: everything here is safe from any thread.
// Errors: a failing library call means a broken installation and throws std::runtime_error, except
// where a wrong key or tampered input is an ordinary answer (nullopt).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

// Takes the same time wherever the first difference is. Different lengths are unequal.
bool equal_constant_time(std::string_view a, std::string_view b);

// AES-256-GCM (NIST SP 800-38D) for secrets at rest: random 96-bit nonce ‖ ciphertext ‖ 128-bit
// tag. `context` is authenticated but not stored (table, column and row id), so that a ciphertext
// that was moved to another row does not open. `key` has 32 bytes.
std::string encrypt_at_rest(const SecretText& key, std::string_view context,
                            const SecretText& plaintext, Random& random);
// nullopt: wrong key, other context, or damaged.
std::optional<SecretText> decrypt_at_rest(const SecretText& key, std::string_view context,
                                          std::string_view ciphertext);

}  // namespace sealpost
