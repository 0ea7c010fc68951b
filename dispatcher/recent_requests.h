// How many of the running requests began within about the last second.
//
// Those are the ones that keep the network thread busy. A request that has been running for longer
// waits for a receiver that is slow or hangs, and may do so for its whole timeout; it costs nothing
// meanwhile. If such requests counted against what should run at once (running_limit.h), a hundred
// of them would leave nothing for all others.
//
// A pure data structure; belongs to one thread. Counts by periods of a quarter of a second, so that
// nothing has to be kept or looked through per request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace sealpost {

class RecentRequests {
 public:
  using Period = std::int64_t;

  // Once per turn, before the others.
  void turn(MonotonicTime now) {
    const Period current = now.time_since_epoch() / kPeriod;
    if (current - period_ > kKept) period_ = current - kKept;
    while (period_ < current) count_ -= std::exchange(begun_in(++period_), 0);
  }

  // What it returns is for ended().
  Period began() {
    ++begun_in(period_);
    ++count_;
    return period_;
  }

  void ended(Period began_in) {
    if (began_in <= period_ - kKept) return;  // does not count any more
    --begun_in(began_in);
    --count_;
  }

  int count() const { return count_; }

 private:
  static constexpr Milliseconds kPeriod{250};
  static constexpr Period kKept = 4;

  int& begun_in(Period period) { return running_[static_cast<std::size_t>(period % kKept)]; }

  Period period_ = 0;
  std::array<int, kKept> running_{};  // by the period in which they began
  int count_ = 0;                     // their sum
};

}  // namespace sealpost
