// The dialect sealed-json: every body is an encrypted JSON packet, and so may the answer be. It
// gives a wire format to the "Secure Webhook Integration Framework" of the RoboFlux whitepaper,
// which names HMAC-SHA512, a key derivation per session, nonce, timestamp and AES-256-GCM packets,
// and no bytes.
//
//   root secret   64 bytes, shown as "rfsec_" and their base64
//   session       16 random bytes, sid; here each attempt is a session of its own
//   session keys  HKDF-SHA512 (RFC 5869): secret = root, salt = sid, info = "wh-sealed-json-v1|"
//   and
//                 enc-req (32 bytes), enc-resp (32), mac (64) or token (32)
//   body          a JWE in flattened JSON serialization (RFC 7516, 7.2.2), members protected, iv,
//                 ciphertext, tag; its protected header has alg "dir", enc "A256GCM", kid, sid, ts
//                 (Unix seconds), nonce (16 random bytes, base64url) and cty
//   headers       X-RoboFlux-Timestamp, -Nonce, -Session, -Token (base64url of the token key) and
//                 -Signature: v1= and the lower-case hex of HMAC-SHA512(mac, ts.nonce.body)
//   answer        empty, or a JWE as well: core/sealed_response.h
//
// Receivers refuse what is more than 300 s away, and a nonce that they saw within 600 s.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret_text.h"
#include "core/header_rules.h"
#include "core/receiver_error.h"
#include "core/sealed_packet.h"

namespace sealpost {

inline constexpr char kSealedJsonType[] = "application/jose+json";
inline constexpr std::size_t kSealedJsonRootBytes = 64;
inline constexpr std::string_view kSealedJsonSecretPrefix = "rfsec_";

// The root secret of one endpoint: HMAC-SHA512 of "wh-endpoint-v1", NUL, identity (a chat id in
// decimal, or a UUID in lower case), NUL, version.
SecretText sealed_json_root(const SecretText& master, std::string_view identity, int version);

// nullopt unless it is "rfsec_" and the base64 of 64 bytes.
std::optional<SecretText> decode_sealed_json_secret(const SecretText& secret);
SecretText encode_sealed_json_secret(const SecretText& root);
SecretText new_sealed_json_secret(Random& random);

struct SealedRequest {
  std::string body;
  std::vector<Header> headers;  // without Content-Type
  SealedSession session;        // which its answer must fit
};

SealedRequest seal_json(const SecretText& root, std::string_view key_id,
                        std::string_view content_type, std::string_view text, WallTime now,
                        Random& random);

// What a receiver does with a request: checks time, signature and binding, and opens it.
// The other alternative says why not.
struct SealedProblem {
  ReceiverErrorCode code{};
  std::string text{};
};
struct OpenedRequest {
  SealedSession session;
  SecretText text;
};
struct SealedHeaders {
  std::string_view timestamp, nonce, session, token, signature;
};
std::variant<OpenedRequest, SealedProblem> open_sealed_request(const SecretText& root,
                                                               const SealedHeaders& headers,
                                                               std::string_view body);

}  // namespace sealpost
