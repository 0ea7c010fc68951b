#include "storage/pg_attempt_columns.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace sealpost {
namespace {

std::int64_t clamped(std::chrono::microseconds duration) {
  return std::clamp<std::int64_t>(duration.count(), 0, std::numeric_limits<std::int32_t>::max());
}

// A phase that did not happen is stored as NULL.
std::optional<std::int64_t> phase(std::chrono::microseconds duration) {
  if (duration.count() == 0) return std::nullopt;
  return clamped(duration);
}

std::optional<std::string_view> unless_empty(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return text;
}

// Columns $5 to $7: what becomes of the delivery.
struct DecisionColumns {
  PgArray decision, reason, wait_us;

  void add(const FinishedAttempt& attempt, MonotonicTime now) {
    reason.add(give_up_reason(attempt.decision));
    decision.add(name(attempt.decision));
    const auto* retry = std::get_if<RetryAfter>(&attempt.decision.next);
    // The statement adds this to a clock_timestamp() that is later than `now`, so a retry may be a
    // little late and is never early.
    const MonotonicTime::duration age =
        std::max(now - attempt.ended_at, MonotonicTime::duration::zero());
    wait_us.add(
        !retry ? 0
               : std::chrono::duration_cast<std::chrono::microseconds>(retry->delay - age).count());
  }

  static std::string_view name(const Decision& decided) {
    if (std::holds_alternative<Delivered>(decided.next)) return "delivered";
    return std::holds_alternative<GiveUp>(decided.next) ? "given_up" : "retry";
  }

  static std::optional<std::string_view> give_up_reason(const Decision& decided) {
    const auto* given_up = std::get_if<GiveUp>(&decided.next);
    if (!given_up) return std::nullopt;
    return to_text(given_up->reason);
  }
};

// A column of which most batches have no value at all: unnest() fills a shorter array up with
// NULLs, so this one ends with its last value.
template <class Value>
PgArray rare_column(const Attempts& attempts, std::optional<Value> AttemptOutcome::*member) {
  PgArray column;
  std::size_t filled = 0;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const std::optional<Value>& value = attempts[i]->outcome.*member;
    if (!value) continue;
    for (; filled < i; ++filled) column.add_null();
    column.add(to_text(*value));
    ++filled;
  }
  return column;
}

}  // namespace

PgParameters attempt_parameters(const Attempts& attempts, MonotonicTime now) {
  PgArray id, epoch, generation, number, started, duration, dns, connect, tls, first_byte, status,
      error, detail, address, body, truncated, key_ids;
  DecisionColumns decisions;
  for (const FinishedAttempt* attempt : attempts) {
    const AttemptOutcome& outcome = attempt->outcome;
    id.add(attempt->delivery.id.text());
    epoch.add(std::int64_t{attempt->delivery.epoch});
    generation.add(attempt->delivery.generation);
    number.add(attempt->attempt_number);
    decisions.add(*attempt, now);
    started.add(attempt->started_at);
    duration.add(clamped(outcome.duration));
    dns.add(phase(outcome.phases.dns));
    connect.add(phase(outcome.phases.connect));
    tls.add(phase(outcome.phases.tls));
    first_byte.add(phase(outcome.phases.first_byte));
    status.add(outcome.status_code);
    error.add(outcome.error ? std::optional(to_text(*outcome.error)) : std::nullopt);
    detail.add(unless_empty(outcome.error_detail));
    address.add(unless_empty(outcome.remote_address));
    outcome.response_body.empty() ? body.add_null() : body.add_bytes(outcome.response_body);
    truncated.add_flag(outcome.response_truncated);
    key_ids.add(unless_empty(attempt->signature_key_ids));
  }
  PgParameters parameters;
  for (const PgArray* column : {&id,
                                &epoch,
                                &generation,
                                &number,
                                &decisions.decision,
                                &decisions.reason,
                                &decisions.wait_us,
                                &started,
                                &duration,
                                &dns,
                                &connect,
                                &tls,
                                &first_byte,
                                &status,
                                &error,
                                &detail,
                                &address,
                                &body,
                                &truncated,
                                &key_ids}) {
    parameters.add(*column);
  }
  return parameters;
}

void add_rare_columns(const Attempts& attempts, PgParameters& parameters) {
  parameters.add(rare_column(attempts, &AttemptOutcome::receiver_error_code))
      .add(rare_column(attempts, &AttemptOutcome::response_decrypt_failed));
}

}  // namespace sealpost
