#include "core/retry_policy.h"

#include <algorithm>
#include <initializer_list>

#include "base/check.h"
#include "core/limits.h"

namespace sealpost {
namespace {

constexpr int kGone = 410;
constexpr int kTooManyRequests = 429;
constexpr int kServiceUnavailable = 503;

std::vector<Milliseconds> seconds(std::initializer_list<int> delays) {
  std::vector<Milliseconds> list;
  list.reserve(delays.size());
  for (const int delay : delays) list.push_back(std::chrono::seconds{delay});
  return list;
}

std::vector<RetryPolicy> make_presets() {
  return {
      // Standard Webhooks 1.0: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
      {.preset = "standard",
       .delays = seconds({5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400}),
       .jitter = 0.2,
       .end_on = {kGone},
       .disable_endpoint_on_gone = true},
      // The ItPay document's long schedule, 113 h 21 m 10 s, and its short one. A 401 is tried
      // again
      // because the receiver may be in the middle of changing its key.
      {.preset = "itpay",
       .delays = seconds({10, 60, 300, 900, 3600, 14400, 43200, 86400, 259200}),
       .end_on_4xx = true,
       .retry_on = {401}},
      {.preset = "itpay-short",
       .delays = seconds({10, 60, 300, 900, 3600}),
       .end_on_4xx = true,
       .retry_on = {401}},
      // Pandora Core and EnGenius Cloud: whatever is not 2xx is tried again, 410 too.
      {.preset = "pandora", .delays = seconds({30, 120, 600, 3600})},
      {.preset = "engenius", .delays = seconds({30, 60, 300})},
  };
}

const std::vector<RetryPolicy>& presets() {
  static const std::vector<RetryPolicy> list = make_presets();
  return list;
}

bool contains(const std::vector<int>& codes, int code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool ends_delivery(const RetryPolicy& policy, int status_code) {
  if (contains(policy.end_on, status_code)) return true;
  const bool is_4xx = status_code >= 400 && status_code <= 499;
  return is_4xx && policy.end_on_4xx && !contains(policy.retry_on, status_code);
}

std::optional<FailureReason> final_reason(const RetryPolicy& policy, const AttemptOutcome& outcome,
                                          int attempt_number, SecretsInChange secrets) {
  // Whoever asks again for a forbidden address is a scanner.
  if (outcome.error == AttemptError::blocked_by_policy) return FailureReason::blocked_by_policy;
  const bool excused = secrets == SecretsInChange::yes && outcome.keys_refused();
  if (outcome.status_code && !excused && ends_delivery(policy, *outcome.status_code)) {
    return *outcome.status_code == kGone ? FailureReason::gone : FailureReason::rejected;
  }
  if (attempt_number >= policy.max_attempts()) return FailureReason::attempts_exhausted;
  return std::nullopt;
}

Milliseconds scheduled_delay(const RetryPolicy& policy, int attempt_number, double random_unit) {
  const Milliseconds base = policy.delays[static_cast<size_t>(attempt_number) - 1];
  const auto extra = static_cast<double>(base.count()) * policy.jitter * random_unit;
  return base + Milliseconds{static_cast<Milliseconds::rep>(extra)};
}

}  // namespace

std::optional<RetryPolicy> retry_preset(std::string_view name) {
  for (const RetryPolicy& policy : presets()) {
    if (policy.preset == name) return policy;
  }
  return std::nullopt;
}

std::vector<std::string_view> retry_preset_names() {
  std::vector<std::string_view> names;
  for (const RetryPolicy& policy : presets()) names.push_back(policy.preset);
  return names;
}

Decision decide(const RetryPolicy& policy, const AttemptOutcome& outcome, int attempt_number,
                double random_unit, SecretsInChange secrets) {
  CHECK(attempt_number >= 1, "attempts are numbered from 1");
  if (outcome.succeeded()) return {.next = Delivered{}};

  Decision decision;
  const int status_code = outcome.status_code.value_or(0);
  std::optional<Milliseconds> wait;
  if (outcome.retry_after) wait = std::min<Milliseconds>(*outcome.retry_after, kMaxRetryAfter);
  // These two speak of the whole receiver, not of this delivery: the others should wait as well.
  if (status_code == kTooManyRequests || status_code == kServiceUnavailable) {
    decision.pause_endpoint = wait;
  }

  if (const auto reason = final_reason(policy, outcome, attempt_number, secrets)) {
    decision.next = GiveUp{*reason};
    decision.disable_endpoint = *reason == FailureReason::gone && policy.disable_endpoint_on_gone;
    return decision;
  }
  const Milliseconds scheduled = scheduled_delay(policy, attempt_number, random_unit);
  decision.next = RetryAfter{std::max(scheduled, wait.value_or(Milliseconds{0}))};
  return decision;
}

}  // namespace sealpost
