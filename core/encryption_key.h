// Receivers' encryption keys (X25519): the texts in which people hand them over, and their
// fingerprint.
//
// Source: RFC 8410 (SubjectPublicKeyInfo and PKCS #8 of X25519), RFC 7468 (PEM).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/secret_text.h"
#include "core/ids.h"

namespace sealpost {

inline constexpr char kKeyType[] = "x25519";

// A public key to which bodies are encrypted.
struct EncryptionKey {
  EncryptionKeyId id;
  std::string public_key;   // 32 bytes
  std::string fingerprint;  // key_fingerprint(public_key): made once, sent with every body
};
EncryptionKey encryption_key(EncryptionKeyId id, std::string public_key);

// Why a text is no usable key: one sentence or two, with the remedy; never quotes the text.
struct KeyError {
  std::string problem;
};

// The 32 bytes of a public key, from PEM, from the base64 of its DER form ("MCowBQYDK2VuAyEA…"), or
// from the bare 32 bytes as base64, base64url or hexadecimal. Refuses everything that looks like
// another key (Ed25519, a private key) and keys that protect nothing (low order).
std::variant<std::string, KeyError> parse_public_key(std::string_view text);

// The same for private keys: PEM or base64 of PKCS #8, or the bare 32 bytes.
std::variant<SecretText, KeyError> parse_private_key(std::string_view text);

// 64 lower-case hex digits: SHA-256 of the DER form. `openssl pkey -pubin -in key.pem -outform DER
// | sha256sum` gives the same.
std::string key_fingerprint(std::string_view public_key);

// PEM's body: the base64 of the DER form.
std::string public_key_text(std::string_view public_key);

}  // namespace sealpost
