// NaCl boxes: X25519, XSalsa20 and Poly1305 by libsodium, in the layout of the ItPay webhook
// document:
//
//   ephemeral public key (32) ‖ nonce (24) ‖ authenticator (16) ‖ ciphertext (as long as the text)
//
// This is crypto_box_easy with the public key and the nonce in front. It is not a "sealed box"
// (crypto_box_seal derives its nonce and stores none); neither opens the other.
//
// Threads: safe from any. Errors: a broken installation aborts; a wrong key or a damaged box is an
// ordinary answer (nullopt, false).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

inline constexpr std::size_t kBoxKeyBytes = 32;
inline constexpr std::size_t kBoxOverheadBytes = 32 + 24 + 16;

// False for a wrong length, and for the few points with which every shared key would be the same
// known value (low order).
bool is_usable_box_key(std::string_view public_key);

// A fresh key pair and the key it shares with one recipient: two multiplications on the curve,
// which are nearly all of a box's cost (70 of 72 us). seal() may be called again; each box gets a
// nonce of its own, but all of them open for whoever learns this one shared key.
class EphemeralBox {
 public:
  // Throws std::invalid_argument unless is_usable_box_key(recipient).
  EphemeralBox(std::string_view recipient, Random& random);

  std::string seal(std::string_view text, Random& random) const;

 private:
  std::string public_key_;
  SecretText shared_key_;
};

// The text of a box for the holder of this private key (32 bytes).
std::optional<SecretText> open_box(std::string_view box, const SecretText& private_key);

// The public key that belongs to a private key of 32 bytes.
std::string box_public_key(const SecretText& private_key);

}  // namespace sealpost
