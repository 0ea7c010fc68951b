// The packets of the dialect sealed-json (core/sealed_json.h): a JWE in flattened JSON
// serialization (RFC 7516, 7.2.2) with the algorithms dir and A256GCM, and the keys of a session.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/aead.h"
#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

inline constexpr std::size_t kSealedSessionBytes = 16;

// What a request and its answer have in common.
struct SealedSession {
  SecretText root;
  std::string key_id{};   // kid
  std::string session{};  // sid, as it is sent: base64url of kSealedSessionBytes
  std::string nonce{};    // of the request, as it is sent
};

// HKDF-SHA512 (RFC 5869) of the root. `sid` is decoded. `purpose`: "enc-req", "enc-resp", "mac" or
// "token".
SecretText sealed_session_key(const SecretText& root, std::string_view sid,
                              std::string_view purpose, std::size_t bytes);

std::string draw_bytes(Random& random, std::size_t count);

// `header`: the protected header's JSON.
std::string write_packet(std::string_view header, std::string_view text, const SecretText& key,
                         Random& random);

// A packet that was read and not opened yet.
struct SealedPacket {
  std::string protected_text{};  // as it stands there
  // Of the protected header; empty: not there, or of another type.
  std::string kid{}, sid{}, nonce{}, rnonce{};
  std::string ts{};         // a whole number, in decimal
  bool is_dir_gcm = false;  // alg is dir, enc A256GCM; not compressed, and nothing critical besides
  std::string iv{};
  GcmSealed sealed{};
};

// nullopt: not a JWE in flattened JSON serialization.
std::optional<SealedPacket> read_packet(std::string_view body);

// nullopt: another key, or it was changed.
std::optional<SecretText> open_packet(const SealedPacket& packet, const SecretText& key);

}  // namespace sealpost
