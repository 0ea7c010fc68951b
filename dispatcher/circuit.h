// Whether an endpoint is worth trying. After 20 failures in a row over at least 5 seconds its
// circuit opens: nothing is sent for a second, then a single request, the probe. If that fails too,
// the pause doubles, up to 30 seconds; if it succeeds, the circuit closes. Deliveries that wait
// meanwhile are not touched: an outage costs a probe now and then, whatever the backlog, and not a
// write per waiting delivery. From the twentieth failure on until it opens it is failing, and gets
// fewer requests (schedule.h).
//
// A failure is: no answer, or a 5xx (AttemptOutcome::receiver_failed). Any other answer shows that
// somebody is there. The five seconds are there so that schedules of milliseconds, and bad minutes
// of a receiver that recovers at once, take their course.
//
// A pure data structure; belongs to one thread.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace sealpost {

class Circuit {
 public:
  bool is_closed() const { return !opened_at_; }
  // Closed, but so many failures in a row that it opens if they go on.
  bool is_failing() const { return is_closed() && failures_ >= kFailures; }
  // Closed, and no failure since the last answer.
  bool is_at_rest() const { return is_closed() && failures_ == 0; }

  // A request that started at `started_at` failed. Returns the pause if that opens the circuit, or
  // opens it again. Requests that were running when it opened change nothing.
  std::optional<Milliseconds> failed(MonotonicTime started_at, MonotonicTime now) {
    if (opened_at_) {
      if (started_at <= *opened_at_) return std::nullopt;
      pause_ = std::min(2 * pause_, kLongestPause);
    } else {
      if (failures_++ == 0) failing_since_ = now;
      if (failures_ < kFailures || now - failing_since_ < kFailingFor) return std::nullopt;
      pause_ = kFirstPause;
    }
    opened_at_ = now;
    return pause_;
  }

  // A request got an answer. True if that closes the circuit.
  bool answered(MonotonicTime started_at) {
    if (opened_at_ && started_at <= *opened_at_) return false;
    failures_ = 0;
    const bool was_open = opened_at_.has_value();
    opened_at_.reset();
    return was_open;
  }

 private:
  static constexpr int kFailures = 20;
  static constexpr MonotonicTime::duration kFailingFor = std::chrono::seconds(5);
  static constexpr Milliseconds kFirstPause{1'000};
  static constexpr Milliseconds kLongestPause{30'000};

  int failures_ = 0;  // in a row
  MonotonicTime failing_since_{};
  std::optional<MonotonicTime> opened_at_;  // nullopt: closed
  Milliseconds pause_{0};
};

}  // namespace sealpost
