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

std::optional<int> unless_one(int number) {
  return number == 1 ? std::nullopt : std::optional(number);
}

std::optional<std::string_view> word_of(const auto& value) {
  return value ? std::optional<std::string_view>(to_text(*value)) : std::nullopt;
}

// Columns $5 to $7: what becomes of the delivery.
struct DecisionColumns {
  PgArray decision, reason, wait_us;

  void add(const FinishedAttempt& attempt, MonotonicTime now) {
    reason.add(give_up_reason(attempt.decision));
    decision.add(name_unless_delivered(attempt.decision));
    const auto* retry = std::get_if<RetryAfter>(&attempt.decision.next);
    if (!retry) {
      wait_us.add_null();
      return;
    }
    // The statement adds this to a clock_timestamp() that is later than `now`, so a retry may be a
    // little late and is never early.
    const MonotonicTime::duration age =
        std::max(now - attempt.ended_at, MonotonicTime::duration::zero());
    wait_us.add(std::chrono::duration_cast<std::chrono::microseconds>(retry->delay - age).count());
  }

  static std::optional<std::string_view> name_unless_delivered(const Decision& decided) {
    if (std::holds_alternative<Delivered>(decided.next)) return std::nullopt;
    return std::holds_alternative<GiveUp>(decided.next) ? "given_up" : "retry";
  }

  static std::optional<std::string_view> give_up_reason(const Decision& decided) {
    const auto* given_up = std::get_if<GiveUp>(&decided.next);
    if (!given_up) return std::nullopt;
    return to_text(given_up->reason);
  }
};

}  // namespace

PgParameters attempt_parameters(const Attempts& attempts, MonotonicTime now) {
  PgArray id, epoch, generation, number, started, duration, dns, connect, tls, first_byte, status,
      error, detail, address, body, truncated, key_ids, receiver_error, decrypt_failed;
  DecisionColumns decisions;
  for (const FinishedAttempt* attempt : attempts) {
    const AttemptOutcome& outcome = attempt->outcome;
    id.add(attempt->delivery.id.text());
    epoch.add(std::int64_t{attempt->delivery.epoch});
    generation.add(unless_one(attempt->delivery.generation));
    number.add(unless_one(attempt->attempt_number));
    decisions.add(*attempt, now);
    started.add(attempt->started_at);
    duration.add(clamped(outcome.duration));
    dns.add(phase(outcome.phases.dns));
    connect.add(phase(outcome.phases.connect));
    tls.add(phase(outcome.phases.tls));
    first_byte.add(phase(outcome.phases.first_byte));
    status.add(outcome.status_code);
    error.add(word_of(outcome.error));
    detail.add(unless_empty(outcome.error_detail));
    address.add(unless_empty(outcome.remote_address));
    outcome.response_body.empty() ? body.add_null() : body.add_bytes(outcome.response_body);
    outcome.response_truncated ? truncated.add_flag(true) : truncated.add_null();
    key_ids.add(unless_empty(attempt->signature_key_ids));
    receiver_error.add(word_of(outcome.receiver_error_code));
    decrypt_failed.add(word_of(outcome.response_decrypt_failed));
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
                                &key_ids,
                                &receiver_error,
                                &decrypt_failed}) {
    parameters.add(*column);
  }
  return parameters;
}

}  // namespace sealpost
