// Checks a received request the way a receiver should: for `sealpost listen` and `sealpost verify`.
// Recognizes the dialect by its headers. Order: timestamp, then signature, in constant time.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret_text.h"

namespace sealpost {

struct ReceivedRequest {
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct Verification {
  bool verified = false;
  std::string profile;   // that was recognized; empty if none
  std::string problem;   // why not, one sentence; empty if verified
  std::string event_id;  // from the headers or the body, as far as it could be read
  std::string event_type;
};

// `tolerance` both ways, as Standard Webhooks' own verifiers do.
Verification verify_request(const ReceivedRequest& request, const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance = std::chrono::seconds{300});

}  // namespace sealpost
