// A signing profile with its templates parsed and its rules checked: what signing (core/signer.h)
// and verifying (core/verify.h) have in common.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "core/signing_profile.h"
#include "core/signing_template.h"

namespace sealpost {

struct CompiledProfile {
  struct FurtherHeader {
    std::string name;
    SigningTemplate value;
  };

  // Throws std::invalid_argument that begins with the field's name: an unknown variable, a
  // character that may not be sent, a forbidden or repeated header, or something that no receiver
  // could verify.
  explicit CompiledProfile(SigningProfile of);

  // True if `variable` stands in what is signed, or in a header.
  bool uses(Variable variable) const;

  SigningProfile profile;
  SigningTemplate content;
  SigningTemplate prefix;
  SigningTemplate item;
  SigningTemplate ed25519_item;
  SigningTemplate input_item;
  SigningTemplate url_query;
  std::vector<FurtherHeader> headers;
  std::string next_header;  // its name; empty: the profile has none

 private:
  void check_next_header() const;
  void check_headers() const;
  void check_verifiable() const;
  bool sends(Variable variable) const;
};

// The HMAC of a profile's algorithm, which must be one.
HmacAlgorithm hmac_of(SignatureAlgorithm algorithm);

// {ts} or {expires} as text, without the heap.
class TimestampText {
 public:
  TimestampText(WallTime time, TimestampUnit unit);
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 24> text_;
  std::size_t size_;
};

// How long after {ts} a signature is good, {expires}: what receivers tolerate anyway.
inline constexpr std::chrono::seconds kSignatureLifetime{300};

}  // namespace sealpost
