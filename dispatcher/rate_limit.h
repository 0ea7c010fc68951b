// When an endpoint's next request may start under its rate limit. Evenly spaced, without bursts: a
// receiver that says "10 a second" means no ten at once.
//
// Whoever calls late (the loop wakes up to a millisecond late) may catch up by at most 10 ms, and
// only at ten or more requests a second, where lateness would otherwise cost more than a hundredth
// of the rate. So in any span of t seconds at most rate × (t + 0.01) + 1 requests start.
//
// Source: the generic cell rate algorithm (ITU-T I.371) with that tolerance. Belongs to one thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace sealpost {

class RateLimit {
 public:
  // One request starts now; returns when the next one may.
  MonotonicTime started(MonotonicTime now, double per_second) {
    const auto interval = std::chrono::duration_cast<MonotonicTime::duration>(
        std::chrono::duration<double>(1 / per_second));
    const MonotonicTime::duration tolerance =
        interval <= kSpacingToCatchUp ? kCatchUp : MonotonicTime::duration::zero();
    next_ = std::max(next_, now - tolerance) + interval;
    return next_;
  }

 private:
  static constexpr MonotonicTime::duration kCatchUp = std::chrono::milliseconds(10);
  static constexpr MonotonicTime::duration kSpacingToCatchUp = std::chrono::milliseconds(100);

  MonotonicTime next_{};
};

}  // namespace sealpost
