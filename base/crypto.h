// The only place where OpenSSL and libsodium are called (besides curl's own TLS).
//
// Threads: free functions are safe from any thread; a Hmac or Sha256 object belongs to one thread.
// Errors: a failing library call means a broken installation and throws std::runtime_error, except
// where a wrong key or tampered input is an ordinary answer (nullopt).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

enum class HmacAlgorithm { sha256, sha512, sha1 };  // sha1 only for dialects that fixed it long ago

// Computes HMACs over a message given in pieces, without joining them first. The context is kept
// between calls: 1.0 µs instead of 1.8 µs per KiB (OpenSSL 3.0, 2 cores, 2026).
class Hmac {
 public:
  explicit Hmac(HmacAlgorithm algorithm);
  ~Hmac();
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;

  // Appends the raw MAC (20, 32 or 64 bytes) to `out`.
  void sign(std::string_view key, std::span<const std::string_view> pieces, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);  // 32 raw bytes

// The same with a context that is kept between calls, for who computes many.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  // Appends 32 raw bytes to `out`.
  void digest(std::string_view bytes, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

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
