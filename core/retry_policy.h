// When a delivery is tried again, and when it is given up. Pure: decide() reads nothing but its
// arguments.
//
// Delays count from the END of the previous attempt and are never shortened: jitter only adds.
// Source of the standard schedule: Standard Webhooks 1.0, "Deliverability and reliability".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/attempt.h"
#include "core/delivery.h"

namespace sealpost {

struct RetryPolicy {
  std::string preset{};                // its name, or empty for an own list
  std::vector<Milliseconds> delays{};  // after attempt 1, 2, …; so delays.size() + 1 attempts
  double jitter = 0;          // adds uniformly 0…jitter of the delay; 0.2 means up to +20 %
  std::vector<int> end_on{};  // status codes that end the delivery at once
  bool end_on_4xx = false;    // every 4xx ends it, except those in retry_on
  std::vector<int> retry_on{};
  bool disable_endpoint_on_gone = false;  // 410 also disables the endpoint

  int max_attempts() const { return static_cast<int>(delays.size()) + 1; }
};

// "standard", "itpay", "itpay-short", "pandora", "engenius"; nullopt for any other name.
std::optional<RetryPolicy> retry_preset(std::string_view name);
std::vector<std::string_view> retry_preset_names();

struct Delivered {};
struct RetryAfter {
  Milliseconds delay;  // from the end of this attempt
};
struct GiveUp {
  FailureReason reason;
};

struct Decision {
  std::variant<Delivered, RetryAfter, GiveUp> next{};
  std::optional<Milliseconds>
      pause_endpoint{};  // 429 or 503 with Retry-After: no request to it until then
  bool disable_endpoint = false;
};

// Whether the secrets that signed may be the reason of a refusal: two are valid, or they were
// changed since.
enum class SecretsInChange { no, yes };

// While secrets are in change no refusal of a signature ends a delivery, whatever the policy says:
// the next attempt is signed otherwise. Only the number of attempts does.
// `attempt_number` is that of the attempt that just ended, from 1. `random_unit` is in [0, 1).
Decision decide(const RetryPolicy& policy, const AttemptOutcome& outcome, int attempt_number,
                double random_unit, SecretsInChange secrets = SecretsInChange::no);

}  // namespace sealpost
