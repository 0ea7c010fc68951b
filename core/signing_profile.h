// Signing profiles: how a sender's dialect signs, as data. One engine signs them all; there is no
// code per sender.
//
// A profile is compiled once per endpoint into literal pieces and variables; signing feeds the
// pieces and the body to the MAC one after the other, without joining them.
//
// Sources: Standard Webhooks 1.0 (standard); the ItPay webhook document (itpay); each preset in
// signing_profile.cc names its own.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "base/secret_text.h"

namespace sealpost {

enum class SecretDecoding { utf8, hex, base64, whsec_base64 };
enum class SignatureEncoding { hex, base64 };

// Templates know {id} {ts} {body} {url} (content) and {ts} {id} {sig} {event_type} {attempt} {idem}
// (headers). `ts` is Unix seconds of the attempt.
struct SigningProfile {
  std::string name{};
  std::optional<HmacAlgorithm> algorithm{};  // nullopt: sign nothing ("none")
  SecretDecoding secret_decoding = SecretDecoding::utf8;
  std::string content{};  // what is signed, "{id}.{ts}.{body}"
  SignatureEncoding encoding = SignatureEncoding::hex;
  std::string signature_header{};  // its name
  std::string prefix{};            // in front of all signatures, "t={ts},"
  std::string item{};              // one signature, "v1={sig}"
  std::string join{};              // between several
  bool many_signatures = false;    // may carry one per valid secret; else a single one
  std::vector<std::pair<std::string, std::string>> headers{};  // further headers: name, template
  bool sealed_json = false;        // signs and encrypts by core/sealed_json.h, nothing else
  bool has_enc_component = false;  // of an encrypted body: ",enc=…" after the signatures
  bool body_must_be_json = false;
  bool body_must_not_start_with_digit = false;

  // What an endpoint with this profile gets unless it says otherwise.
  std::string default_envelope = "standard";
  std::string default_retry_preset = "standard";
};

// "standard", "itpay", "stripe", "pandora", "engenius", "github", "slack", "sealed-json", "none";
// else nullopt.
std::optional<SigningProfile> signing_preset(std::string_view name);
std::vector<std::string_view> signing_preset_names();

struct Header {
  std::string name;
  std::string value;
};

// What an attempt knows when it is signed.
struct SigningInput {
  std::string_view message_id;  // the event's id
  std::string_view event_type;
  std::string_view idempotency_key;
  std::string_view url;    // exactly as registered
  std::string_view body;   // exactly the bytes that are sent
  std::string_view enc{};  // the value of enc=; empty: the body is not encrypted
  long long timestamp_seconds = 0;
  int attempt_number = 1;
};

// A profile made ready for one endpoint: templates parsed, secrets decoded. Immutable, shared
// between threads; the Hmac is passed in by the thread that signs.
class Signer {
 public:
  // `secrets` in the order in which their signatures appear, the oldest last; a profile with a
  // single signature uses that one. Throws std::invalid_argument naming the field when the profile
  // or a secret is unusable (unknown variable, undecodable secret, CR or LF).
  Signer(SigningProfile profile, const std::vector<SecretText>& secrets);
  ~Signer();

  const SigningProfile& profile() const;
  // True if sign() writes a header of that name.
  bool writes_header(std::string_view name) const;
  // Appends the signature header and the profile's further headers. The Hmac must have been made
  // for this profile's algorithm; it is not used if the profile has none.
  void sign(const SigningInput& input, Hmac& hmac, std::vector<Header>& headers) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

// The key bytes that a secret's text stands for. nullopt: not in that encoding, empty, or
// (whsec_base64) not 24 to 64 bytes, as Standard Webhooks wants. There "whsec_" may be missing.
std::optional<SecretText> decode_secret(const SecretText& secret, SecretDecoding decoding);

// A secret for a new endpoint: "whsec_" and 40 letters and digits that are also the base64 of 30
// random bytes (redrawn until no '+' or '/' occurs). So the same text is a valid key whether a
// receiver takes it as text (Stripe's way) or decodes it (Standard Webhooks' way), and whoever
// copies it by double click gets all of it.
SecretText new_signing_secret(Random& random);

// First 16 hex digits of SHA-256 over the secret's text.
std::string secret_fingerprint(const SecretText& secret);

}  // namespace sealpost
