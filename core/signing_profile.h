// Signing profiles: how a sender's dialect signs, as data. One engine (core/signer.h) signs them
// all; there is no code per sender. docs/SIGNING.md describes the fields for operators.
//
// Sources: each preset in signing_presets.cc names its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace sealpost {

enum class SignatureAlgorithm {
  none,               // sign nothing
  hmac_sha256,        // RFC 2104
  hmac_sha512,        //
  hmac_sha1,          // only for dialects that fixed it long ago
  ed25519,            // RFC 8032
  ecdsa_p256_sha256,  // FIPS 186, the signature as r ‖ s
};
std::string_view to_text(SignatureAlgorithm algorithm);
std::optional<SignatureAlgorithm> signature_algorithm_from_text(std::string_view text);
bool is_hmac(SignatureAlgorithm algorithm);
bool is_asymmetric(SignatureAlgorithm algorithm);

// What bytes an HMAC secret's text stands for. Keys of the asymmetric algorithms have one form each
// (core/signing_secret.h).
enum class SecretDecoding { utf8, hex, base64, base64url, whsec_base64 };
std::string_view to_text(SecretDecoding decoding);
std::optional<SecretDecoding> secret_decoding_from_text(std::string_view text);

enum class SignatureEncoding { hex, base64, base64url };  // hex is lower case
std::string_view to_text(SignatureEncoding encoding);
std::optional<SignatureEncoding> signature_encoding_from_text(std::string_view text);

// Of {ts} and {expires}: whole seconds or milliseconds since 1970, or "2026-05-27T09:00:00Z".
enum class TimestampUnit { s, ms, rfc3339 };
std::string_view to_text(TimestampUnit unit);
std::optional<TimestampUnit> timestamp_unit_from_text(std::string_view text);

inline constexpr std::string_view kNextHeaderSuffix = "-next";

// Fields named "template" are the little language of core/signing_template.h; which variables each
// may use is checked when a Signer is made.
struct SigningProfile {
  std::string name{};
  SignatureAlgorithm algorithm = SignatureAlgorithm::none;
  SecretDecoding secret_decoding = SecretDecoding::utf8;
  TimestampUnit timestamp = TimestampUnit::s;
  std::string content{};  // template of what is signed, "{id}.{ts}.{body}"
  SignatureEncoding encoding = SignatureEncoding::hex;

  std::string signature_header{};  // its name
  std::string prefix{};            // template in front of all signatures, "t={ts},"
  std::string item{};              // template of one signature, "v1={sig}"
  std::string join{};              // between several
  bool many_signatures = false;    // may carry one per valid secret; else a single one
  // Template of a second signature per secret, by Ed25519. Then a secret is two texts joined by a
  // comma: that of `algorithm`, and an Ed25519 key.
  std::string ed25519_item{};
  // A second list beside the signatures, with one item for each, joined the same way; for RFC 9421.
  std::string input_header{};
  std::string input_item{};                                    // template
  std::vector<std::pair<std::string, std::string>> headers{};  // further headers: name, template
  std::string url_query{};  // template, added to the URL before signing; it is sent as well
  std::string key_id{};     // {kid}; empty: the JWK thumbprint or the secret's fingerprint
  // While two secrets are valid, of a single signature: the other secret's goes into a header of
  // the same form, whose name has kNextHeaderSuffix.
  bool next_header = false;

  bool sealed_json = false;        // signs and encrypts by core/sealed_json.h, nothing else
  bool has_enc_component = false;  // of an encrypted body: ",enc=…" after the signatures

  bool body_must_be_utf8 = false;
  bool body_must_be_json = false;  // and UTF-8
  bool body_must_not_start_with_digit = false;
  bool https_only = false;
  bool tls_1_3_only = false;
  std::size_t max_header_value = kMaxHeaderValueLength;  // of any header that the profile writes

  // What an endpoint with this profile gets unless it says otherwise.
  std::string default_envelope = "standard";
  std::string default_retry_preset = "standard";
};

// True if its secrets have a public half, for all signatures or for some.
bool has_key_pair(const SigningProfile& profile);

// nullopt: there is none of that name.
std::optional<SigningProfile> signing_preset(std::string_view name);
std::vector<std::string_view> signing_preset_names();

}  // namespace sealpost
