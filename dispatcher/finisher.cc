#include "dispatcher/finisher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "core/limits.h"

namespace sealpost {

void Finisher::run() {
  constexpr Milliseconds kIdle{100};  // add() rings; this only shows that the thread turns
  for (;;) {
    thread_.turned(parts_.clock.monotonic_now());
    break_up_batches();
    const bool wrote_statement = write_statement();
    const std::size_t written = write_attempts();
    if (written == 0 && !wrote_statement) {
      if (thread_.stopping()) return;  // nothing left, or the deadline passed
      thread_.sleep(kIdle);
    }
    if (!wrote_statement) gather(written);
  }
}

void Finisher::break_up_batches() {
  const MonotonicTime now = parts_.clock.monotonic_now();
  const Epoch epoch = parts_.membership.epoch();
  if (now < next_break_up_ || !parts_.membership.covers(now)) return;
  next_break_up_ = now + kBatchAge / 2;
  try {
    parts_.store->break_up_batches(epoch, kBatchAge);
    parts_.health.reached("finish");
  } catch (const StorageError& error) {
    parts_.health.failed("finish", error);
  }
}

// Lets results gather until they are worth a statement, which costs nearly as much for a handful as
// for a hundred (1 ms, against 15 us per result). How many came last time tells whether many come.
// The first result and a worthwhile number of them ring; so does one for which others wait, and
// hurry(). Without that, requests that hang leave the others few slots, and results sit in those
// for as long: with 40 ms isolation's healthy endpoints got 4,400 deliveries/s instead of 15,000.
void Finisher::gather(std::size_t written_last) {
  constexpr std::size_t kMany = 50;
  for (int rings = 0; rings < 2 && !thread_.stopping(); ++rings) {
    Milliseconds time = written_last >= kMany ? kBusyFinishDelay : kFinishDelay;
    if (keeps_small()) time = kFinishDelayBesideOthers;
    {
      const std::lock_guard lock(mutex_);
      if (attempts_.size() >= enough() || sending_waits_) return;
      if (others_wait_) time = kFinishDelay;
    }
    thread_.sleep(time);
  }
}

// So many results are worth a statement.
std::size_t Finisher::enough() const {
  return keeps_small() ? std::min<std::size_t>(worthwhile_, kFinishBatchBesideOthers) : worthwhile_;
}

void Finisher::add(std::vector<FinishedAttempt> attempts) {
  if (attempts.empty()) return;
  unfinished_ += static_cast<int>(attempts.size());
  std::size_t before = 0;
  std::size_t after = 0;
  const std::size_t wanted = enough();
  bool hurries = std::ranges::any_of(attempts, &FinishedAttempt::in_order);
  {
    const std::lock_guard lock(mutex_);
    hurries = hurries && !std::exchange(others_wait_, others_wait_ || hurries);
    before = attempts_.size();
    std::move(attempts.begin(), attempts.end(), std::back_inserter(attempts_));
    after = attempts_.size();
  }
  const bool first = before == 0;
  const bool reached = before < wanted && after >= wanted;
  if (first || reached || hurries) thread_.ring();
}

void Finisher::hurry() {
  {
    const std::lock_guard lock(mutex_);
    if (attempts_.empty() || std::exchange(sending_waits_, true)) return;
  }
  thread_.ring();
}

void Finisher::add_released(Epoch epoch, std::vector<LeasedDelivery> unsent) {
  const int count = static_cast<int>(unsent.size());
  add_statement([epoch, unsent = std::move(unsent)](
                    DeliveryStore& store, EndpointSource&) { store.release(epoch, unsent); },
                count);
}

void Finisher::add_skipped(Epoch epoch, std::vector<LeasedDelivery> deliveries) {
  const int count = static_cast<int>(deliveries.size());
  add_statement([epoch, deliveries = std::move(deliveries)](
                    DeliveryStore& store, EndpointSource&) { store.skip(epoch, deliveries); },
                count);
}

void Finisher::add_failed(Epoch epoch,
                          std::vector<std::pair<LeasedDelivery, FailureReason>> deliveries) {
  const int count = static_cast<int>(deliveries.size());
  add_statement([epoch, deliveries = std::move(deliveries)](
                    DeliveryStore& store, EndpointSource&) { store.fail(epoch, deliveries); },
                count);
}

void Finisher::add_statement(Statement statement, int deliveries) {
  unfinished_ += deliveries;
  {
    const std::lock_guard lock(mutex_);
    statements_.emplace_back(std::move(statement), deliveries);
  }
  thread_.ring();
}

void Finisher::stop_by(MonotonicTime deadline) {
  deadline_ = deadline;
  has_deadline_ = true;
  thread_.stop();
}

// How many were written; there may be more.
std::size_t Finisher::write_attempts() {
  std::vector<FinishedAttempt> batch;
  {
    const std::lock_guard lock(mutex_);
    // Many have gathered in spite of it: the database is too slow for small statements.
    const bool small = keeps_small() && attempts_.size() < worthwhile_;
    const std::size_t limit = small ? kFinishBatchBesideOthers : kFinishBatch;
    const auto count = std::min(attempts_.size(), limit);
    const auto end = attempts_.begin() + static_cast<std::ptrdiff_t>(count);
    batch.assign(std::make_move_iterator(attempts_.begin()), std::make_move_iterator(end));
    attempts_.erase(attempts_.begin(), end);
    others_wait_ = sending_waits_ = false;
  }
  if (batch.empty() || !write_or_isolate(batch)) return 0;
  return batch.size();
}

// False: the deadline passed.
bool Finisher::write_or_isolate(std::span<const FinishedAttempt> attempts) {
  switch (write(attempts)) {
    case Written::yes:
      done(static_cast<int>(attempts.size()));
      return true;
    case Written::gave_up:
      return false;
    case Written::refused:
      break;
  }
  if (attempts.size() == 1) return dead_letter(attempts.front());
  const std::size_t half = attempts.size() / 2;
  return write_or_isolate(attempts.first(half)) && write_or_isolate(attempts.subspan(half));
}

Finisher::Written Finisher::write(std::span<const FinishedAttempt> attempts) {
  while (may_go_on()) {
    try {
      const MonotonicTime asked_at = parts_.clock.monotonic_now();
      const FinishResult result = parts_.store->finish(attempts, asked_at);
      parts_.health.reached("finish");
      backoff_.reset();
      written(attempts, result, asked_at);
      return Written::yes;
    } catch (const StorageError& error) {
      if (error.kind() == StorageError::Kind::permanent) return Written::refused;
      parts_.health.failed("finish", error);
      rest(error);
    }
  }
  return Written::gave_up;
}

// The store refused this one result. If it refuses to end the delivery as well, then the fault is
// not this result's: keep it and try until the store is repaired.
bool Finisher::dead_letter(const FinishedAttempt& attempt) {
  const std::pair<LeasedDelivery, FailureReason> failure{attempt.delivery, FailureReason::internal};
  while (may_go_on()) {
    try {
      parts_.store->fail(attempt.delivery.epoch, {&failure, 1});
      log_error("delivery.result_refused", {{"delivery_id", attempt.delivery.id.text()},
                                            {"endpoint_id", attempt.delivery.endpoint_id.text()},
                                            {"attempt", attempt.attempt_number}});
      done(1);
      return true;
    } catch (const StorageError& error) {
      parts_.health.failed("finish", error);
      rest(error);
    }
    switch (write({&attempt, 1})) {
      case Written::yes:
        done(1);
        return true;
      case Written::gave_up:
        return false;
      case Written::refused:
        break;
    }
  }
  return false;
}

void Finisher::written(std::span<const FinishedAttempt> attempts, const FinishResult& result,
                       MonotonicTime asked_at) {
  const MonotonicTime answered_at = parts_.clock.monotonic_now();
  parts_.metrics.finish_seconds.observe(
      std::chrono::duration<double>(answered_at - asked_at).count());
  parts_.metrics.orphaned_results.add(result.orphaned.size());
  for (const FinishedAttempt& attempt : attempts) {
    if (const auto* retry = std::get_if<RetryAfter>(&attempt.decision.next)) {
      // The store counted the delay from some moment between our question and its answer.
      const auto written_within = answered_at - asked_at;
      parts_.retry_times.remember(attempt.delivery.endpoint_id,
                                  attempt.ended_at + retry->delay + written_within);
    }
    // The next of its order can be claimed.
    if (attempt.in_order) parts_.retry_times.remember(attempt.delivery.endpoint_id, answered_at);
    if (attempt.decision.disable_endpoint) {
      add_statement(
          [id = attempt.delivery.endpoint_id](DeliveryStore&, EndpointSource& endpoints) {
            endpoints.disable(id, "the receiver answered 410 Gone");
          },
          0);
    }
  }
}

// True if something was written and there may be more.
bool Finisher::write_statement() {
  std::pair<Statement, int> next;
  {
    const std::lock_guard lock(mutex_);
    if (statements_.empty()) return false;
    next = std::move(statements_.front());
    statements_.pop_front();
  }
  while (may_go_on()) {
    try {
      next.first(*parts_.store, *parts_.endpoints);
      parts_.health.reached("finish");
      backoff_.reset();
      done(next.second);
      return true;
    } catch (const StorageError& error) {
      parts_.health.failed("finish", error);
      if (error.kind() == StorageError::Kind::permanent) {
        // They stay leased until this epoch ends; nothing is lost, and nobody else has to wait.
        log_error("delivery.release_refused",
                  {{"deliveries", next.second}, {"error", error.what()}});
        done(next.second);
        return true;
      }
      rest(error);
    }
  }
  return false;
}

void Finisher::done(int deliveries) {
  unfinished_ -= deliveries;
  parts_.on_written();
}

bool Finisher::may_go_on() const {
  return !has_deadline_ || parts_.clock.monotonic_now() < deadline_.load();
}

void Finisher::rest(const StorageError& error) {
  thread_.turned(parts_.clock.monotonic_now());
  thread_.sleep(backoff_.after(error));
}

}  // namespace sealpost
