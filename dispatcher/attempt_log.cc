#include "dispatcher/attempt_log.h"

#include <optional>
#include <string_view>
#include <variant>

#include "base/log.h"

namespace sealpost {
namespace {

std::string_view decision_word(const Decision& decision) {
  if (std::holds_alternative<Delivered>(decision.next)) return "delivered";
  if (std::holds_alternative<RetryAfter>(decision.next)) return "retry";
  return "dead_letter";
}

// How it goes on: the reason of a dead letter, or what happens to the endpoint.
std::string_view next_word(const Decision& decision) {
  if (const auto* give_up = std::get_if<GiveUp>(&decision.next)) return to_text(give_up->reason);
  return decision.pause_endpoint ? "endpoint_paused" : "";
}

template <class Enum>
std::string_view word_of(const std::optional<Enum>& value) {
  return value ? to_text(*value) : std::string_view();
}

}  // namespace

void log_attempt(const FinishedAttempt& attempt, const Endpoint& endpoint) {
  const LeasedDelivery& delivery = attempt.delivery;
  const AttemptOutcome& outcome = attempt.outcome;
  const bool in_order = outcome.succeeded() && !outcome.response_decrypt_failed;
  const LogLevel level = in_order ? LogLevel::debug : LogLevel::info;
  if (!log_enabled(level)) return;
  const auto* retry = std::get_if<RetryAfter>(&attempt.decision.next);
  const double duration_ms = std::chrono::duration<double, std::milli>(outcome.duration).count();
  log(level, "delivery.attempted",
      {{"delivery_id", delivery.id.text()},
       {"event_id", delivery.event->id.text()},
       {"endpoint_id", delivery.endpoint_id.text()},
       {"tenant", endpoint.tenant},
       {"generation", delivery.generation},
       {"attempt", attempt.attempt_number},
       {"outcome", outcome.error ? to_text(*outcome.error) : std::string_view("response")},
       {"status", outcome.status_code.value_or(0)},
       {"error", outcome.error_detail},
       {"receiver_error_code", word_of(outcome.receiver_error_code)},
       {"response_decrypt_failed", word_of(outcome.response_decrypt_failed)},
       {"duration_ms", duration_ms},
       {"decision", decision_word(attempt.decision)},
       {"next", next_word(attempt.decision)},
       {"next_in_ms", static_cast<std::int64_t>(retry != nullptr ? retry->delay.count() : 0)}});
}

}  // namespace sealpost
