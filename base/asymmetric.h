// Signatures with a key pair: Ed25519 (RFC 8032, libsodium) and ECDSA on P-256 with SHA-256 (FIPS
// 186, OpenSSL). Ed25519 comes from libsodium because it takes half the time there (19 against
// 39 µs per KiB, OpenSSL 3.0, 2 cores, 2026).
//
// Threads: safe from any; a key may be used by several at once. Errors: nullopt and false for keys
// and signatures that are none; std::runtime_error when a library fails.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

inline constexpr std::size_t kEd25519SeedBytes = 32;
inline constexpr std::size_t kEd25519PublicBytes = 32;
inline constexpr std::size_t kEd25519PrivateBytes = 64;  // the seed, and behind it the public key
inline constexpr std::size_t kP256CoordinateBytes = 32;

// From 32 bytes (a seed) or 64 (a private key). nullopt: another length, or a public half that is
// not the seed's: signing with such a key gives the seed away.
std::optional<SecretText> ed25519_private_key(std::string_view bytes);
SecretText new_ed25519_private_key(Random& random);
// 32 bytes, a view into the key.
std::string_view ed25519_public_key(const SecretText& private_key);
// Appends 64 bytes to `out`. The message is read twice, so it has to be in one piece.
void ed25519_sign(const SecretText& private_key, std::string_view message, std::string& out);
bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature);

// Signatures are r ‖ s, 64 bytes, as JOSE and HTTP message signatures want them (not DER).
class P256PrivateKey {
 public:
  // nullopt: not the DER form of a PKCS#8 private key on the curve P-256.
  static std::optional<P256PrivateKey> from_pkcs8(std::string_view der);
  static P256PrivateKey generate();  // by OpenSSL's own source of randomness

  SecretText pkcs8() const;
  std::string public_spki() const;  // SubjectPublicKeyInfo, DER (RFC 5480)
  // Appends 64 bytes to `out`.
  void sign(std::span<const std::string_view> pieces, std::string& out) const;

 private:
  struct State;
  explicit P256PrivateKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

struct P256Point {
  std::string x;  // 32 bytes each, big endian
  std::string y;
};
// nullopt: not the DER SubjectPublicKeyInfo of a point on P-256.
std::optional<P256Point> p256_point(std::string_view spki);
bool p256_verify(std::string_view spki, std::span<const std::string_view> pieces,
                 std::string_view signature);

}  // namespace sealpost
