// The secrets of endpoints: one text each, and the keys that it stands for.
//
//   HMAC         the text itself, or what its decoding makes of it (SecretDecoding)
//   Ed25519      "whsk_" + base64 of 64 bytes (seed, public key) or of a 32-byte seed
//   ECDSA P-256  base64 of the PKCS#8 DER: the lines of a PEM file without its first and last
//   both         "HMAC,whsk_…" for profiles with a second, Ed25519 signature (ed25519_item)
//
// Public keys as texts: "whpk_" + base64 of 32 bytes, or base64 of the SubjectPublicKeyInfo DER.
// Source: Standard Webhooks 1.0, "Signature scheme" (whsec_, whsk_, whpk_); it leaves the length of
// whsk_ open.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/asymmetric.h"
#include "base/random.h"
#include "base/secret_text.h"
#include "core/signing_profile.h"

namespace sealpost {

// The key bytes that an HMAC secret's text stands for. nullopt: not in that encoding, empty, or
// (whsec_base64) not 24 to 64 bytes, as Standard Webhooks wants. There "whsec_" may be missing.
std::optional<SecretText> decode_secret(const SecretText& secret, SecretDecoding decoding);

// nullopt: not of the form above.
std::optional<SecretText> decode_ed25519_secret(const SecretText& secret);
std::optional<P256PrivateKey> decode_p256_secret(const SecretText& secret);
std::optional<std::string> decode_ed25519_public(std::string_view text);  // 32 bytes
std::optional<std::string> decode_p256_public(std::string_view text);     // DER

// The two halves of "HMAC,whsk_…"; the second is empty if there is no comma.
struct SecretHalves {
  SecretText hmac;
  SecretText ed25519;
};
SecretHalves split_secret(const SecretText& secret);

// A secret for a new endpoint with this profile. For HMAC under text or whsec_base64: "whsec_" and
// 40 letters and digits that are also the base64 of 30 random bytes (redrawn until no '+' or '/'
// occurs). So the same text is a valid key whether a receiver takes it as text (Stripe's way) or
// decodes it (Standard Webhooks' way), and whoever copies it by double click gets all of it.
SecretText new_signing_secret(const SigningProfile& profile, Random& random);

// What the receiver has to know of a secret to verify. Empty if public_key_of() is all it needs.
SecretText shared_part(const SigningProfile& profile, const SecretText& secret);
// Empty if the profile has no key pair or the secret is not usable.
std::string public_key_of(const SigningProfile& profile, const SecretText& secret);

// A public key as JSON Web Key (RFC 7517, RFC 8037) with "use", "alg" and its thumbprint as "kid".
// Empty if the text is no public key.
std::string public_key_jwk(std::string_view public_key);
// RFC 7638: base64url of SHA-256 over the key's required members. Empty likewise.
std::string jwk_thumbprint(std::string_view public_key);

// First 16 hex digits of SHA-256 over the secret's text.
std::string secret_fingerprint(const SecretText& secret);

}  // namespace sealpost
