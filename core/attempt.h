// An attempt: one HTTP request for a delivery, and what came of it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/header_rules.h"
#include "core/ids.h"
#include "core/receiver_error.h"

namespace sealpost {

// What went wrong when no complete answer came. A closed set, used in attempts, metrics and logs.
enum class AttemptError {
  dns,                // the name could not be resolved
  connect,            // no connection
  tls,                // handshake or certificate
  timeout,            // the endpoint's request timeout passed
  connection_lost,    // reset or closed before an answer
  blocked_by_policy,  // the address is not allowed; nothing was sent
  bad_response,       // not HTTP, or headers over the limit
  internal,           // ours: building or signing the request
};

std::string_view to_text(AttemptError error);
std::optional<AttemptError> attempt_error_from_text(std::string_view text);

// Why an encrypted answer was not taken (core/sealed_response.h). A closed set, used in attempts
// and logs.
enum class ResponseProblem {
  missing,          // no body, or of another type; a problem only where one is required
  too_large,        // kMaxSealedResponse or more
  incomplete,       // it broke off, or took too long
  malformed,        // not a JWE in flattened JSON serialization
  wrong_algorithm,  // not dir and A256GCM
  wrong_session,    // kid or sid is not the request's
  wrong_nonce,      // rnonce is not the request's nonce
  not_opened,       // another key, or it was changed
};

std::string_view to_text(ResponseProblem problem);
std::optional<ResponseProblem> response_problem_from_text(std::string_view text);

// Durations from the start of the attempt. Zero: that phase did not happen (connection reused).
struct AttemptPhases {
  std::chrono::microseconds dns{0};
  std::chrono::microseconds connect{0};
  std::chrono::microseconds tls{0};
  std::chrono::microseconds first_byte{0};
};

// What one HTTP request led to. Exactly one of `status_code` and `error` is set: once a status line
// and headers are there the status decides, however the rest of the body ended.
struct AttemptOutcome {
  std::optional<int> status_code;
  std::optional<AttemptError> error;
  std::string error_detail;                 // for people, one line, no secrets
  std::optional<Milliseconds> retry_after;  // from the header, already relative and not negative
  std::string response_body;                // first bytes, at most kStoredResponseBytes; see below
  bool response_truncated = false;
  std::vector<Header> consent_headers;  // WebHook-Allowed-…, of the answer to OPTIONS only
  std::optional<ReceiverErrorCode> receiver_error_code;  // that a refusal's body names
  // Of encrypted answers. Where one may come, a sender keeps up to kMaxSealedResponse of the body,
  // until it was judged.
  bool response_is_packet = false;  // the body is typed so
  std::optional<ResponseProblem> response_decrypt_failed;
  bool response_refused = false;  // by that a 2xx does not count
  std::string remote_address;     // "203.0.113.7:443"; empty when blocked or never connected
  AttemptPhases phases;
  std::chrono::microseconds duration{0};

  bool succeeded() const {
    return status_code && *status_code >= 200 && *status_code <= 299 && !response_refused;
  }
  // The receiver had more than it can take: 429, 502, 504, or no answer in time.
  bool receiver_overloaded() const;
  // The receiver may have refused the signature: 400, 401, 403, or an error that names it.
  bool signature_refused() const;
  // That, or it says that it cannot decrypt: what another secret or another key may mend.
  bool keys_refused() const;
  // The receiver, or the way to it, does not work: a 5xx, or no answer for a reason on its side.
  bool receiver_failed() const;
};

}  // namespace sealpost
