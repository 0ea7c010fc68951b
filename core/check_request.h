// Checks and opens a received request, encrypted or not: for `sealpost listen` and `sealpost
// verify`. What verify_request() does, and in addition boxes (core/encryption.h) and the dialect
// sealed-json (core/sealed_json.h).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret_text.h"
#include "core/sealed_packet.h"
#include "core/verify.h"

namespace sealpost {

struct CheckedRequest {
  Verification verification;
  bool encrypted = false;
  std::optional<SecretText> text{};  // of an encrypted body that was opened
  std::string not_opened{};          // why it was not
  std::optional<SealedSession>
      session{};  // of a sealed-json packet that was opened: for the answer
};

// `private_key` (32 bytes) opens boxes; if one is given and the box does not open, the request does
// not verify. A sealed-json packet is opened with the secret itself. `profile`: if it is known;
// otherwise it is recognized by the headers.
CheckedRequest check_request(const ReceivedRequest& request, const SecretText& secret,
                             const std::optional<SecretText>& private_key, WallTime now,
                             std::chrono::seconds tolerance = kDefaultTolerance,
                             const std::optional<SigningProfile>& profile = std::nullopt);

}  // namespace sealpost
