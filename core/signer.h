// Signs requests as a profile says. A profile is compiled once per endpoint into literal pieces and
// variables, and all that is known by then is filled in, also the keys' own blocks of an HMAC;
// signing feeds the pieces and the body to the MAC one after the other, without joining them
// (Ed25519 reads its message twice: there they are joined in a buffer of the thread).
//
// Sources: Standard Webhooks 1.0, RFC 9421 (HTTP message signatures), RFC 9530 (Content-Digest);
// each preset names its own.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/secret_text.h"
#include "core/header_rules.h"
#include "core/signing_profile.h"

namespace sealpost {

// What an attempt knows when it is signed.
struct SigningInput {
  std::string_view message_id;  // the event's id
  std::string_view event_type;
  std::string_view idempotency_key;
  std::string_view url;           // as registered, after append_query()
  std::string_view content_type;  // of the body
  std::string_view body;          // exactly the bytes that are sent
  std::string_view enc{};         // the value of enc=; empty: the body is not encrypted
  WallTime time{};                // of the attempt
  int attempt_number = 1;
};

inline constexpr std::size_t kNonceBytes = 16;

// What a thread keeps for signing: buffers that spare the heap, and randomness drawn ahead. Belongs
// to one thread.
class SigningTools {
 public:
  explicit SigningTools(Random& random) : random_(random) {}  // which must outlive this

 private:
  friend class Signer;
  Random& random_;
  std::string message_;        // for Ed25519
  std::string bytes_;          // a signature or a digest
  std::string text_;           // the same, encoded
  std::string digest_hex_;     // body_sha256_…
  std::string digest_base64_;  //
  std::string host_;           // in lower case
  std::string nonce_;
  std::array<std::byte, 64 * kNonceBytes> nonces_{};  // drawn ahead
  std::size_t nonces_used_ = 64 * kNonceBytes;        // bytes of them
};

// A profile made ready for one endpoint: templates parsed, secrets decoded. Immutable, shared
// between threads; the tools are passed in by the thread that signs.
class Signer {
 public:
  // `secrets` in the order in which their signatures appear, the oldest last; a profile with a
  // single signature uses that one, and the first for its next_header. Throws std::invalid_argument
  // naming the field when the profile or a secret is unusable: an unknown variable, CR or LF, a
  // forbidden or repeated header, a secret that cannot be decoded, or something that no receiver
  // could verify.
  //
  // `url`, if given, is that of every request: its parts are then filled in beforehand. Where the
  // profile has a url_query, each request has another, and it is ignored.
  Signer(SigningProfile profile, const std::vector<SecretText>& secrets, std::string_view url = {});
  ~Signer();

  const SigningProfile& profile() const;
  // True if sign() writes a header of that name.
  bool writes_header(std::string_view name) const;
  // True if it signs the fields of a form: sign() then takes no other body (core/form.h).
  bool signs_form() const;
  // Adds the profile's url_query, if it has one, to the URL that is requested and signed.
  void append_query(std::string& url, std::string_view body, SigningTools& tools) const;
  // Appends the profile's further headers, then the lists of inputs and signatures.
  void sign(const SigningInput& input, SigningTools& tools, std::vector<Header>& headers) const;

 private:
  struct Compiled;
  struct Signing;
  std::unique_ptr<const Compiled> compiled_;
};

// Why a header that the signer writes could not be sent: it would be empty, begin or end with a
// space, or be longer than the profile's max_header_value. Begins with the field's name. nullopt if
// all can be sent (with the ids, times and types that Sealpost has). Only for a signer that was
// made without a URL.
std::optional<std::string> unsendable_header(const Signer& signer);

}  // namespace sealpost
