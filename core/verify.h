// Checks a received request the way a receiver should: for `sealpost listen` and `sealpost verify`.
// Recognizes the dialect by its headers, from the same profiles that requests are signed by. Order:
// timestamp, then signature, in constant time.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret_text.h"
#include "core/receiver_error.h"
#include "core/signing_profile.h"

namespace sealpost {

struct ReceivedRequest {
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string url{};  // as the sender has it, query included; empty: unknown
};

struct Verification {
  bool verified = false;
  std::string profile;                       // that was recognized; empty if none
  std::string problem;                       // why not, one sentence; empty if verified
  std::optional<ReceiverErrorCode> error{};  // the same as a code, to be answered
  std::string event_id;  // from the headers or the body, as far as it could be read
  std::string event_type;
};

inline constexpr std::chrono::seconds kDefaultTolerance{300};

// `secret`: what the receiver has, in the forms of core/signing_secret.h; of a key pair either
// half. `tolerance` both ways, as Standard Webhooks' own verifiers do.
Verification verify_request(const ReceivedRequest& request, const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance = kDefaultTolerance);

// The same for a profile that is known, a custom one for instance. Throws std::invalid_argument if
// the profile is unusable.
Verification verify_request(const ReceivedRequest& request, const SigningProfile& profile,
                            const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance = kDefaultTolerance);

}  // namespace sealpost
