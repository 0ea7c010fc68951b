// How many requests an endpoint gets at once after it showed signs of overload (429, 502, 504,
// timeouts): half of what it had, then one more for every round of successes, up to its
// max_in_flight.
//
// All requests that were running when the window was cut tell of the same overload, so only one
// that started after the cut can cut again.
//
// Source: additive increase, multiplicative decrease, as TCP has it (RFC 5681). Belongs to one
// thread.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace sealpost {

class ConcurrencyWindow {
 public:
  int limit(int most) const { return size_ ? std::min(static_cast<int>(*size_), most) : most; }
  bool is_full() const { return !size_; }

  // A request that started at `started_at` met an overloaded receiver; `in_flight` were running,
  // itself included.
  void overloaded(MonotonicTime started_at, MonotonicTime now, int in_flight) {
    if (cut_at_ && started_at <= *cut_at_) return;
    cut_at_ = now;
    size_ = std::max(1.0, std::min<double>(size_.value_or(in_flight), in_flight) / 2);
  }

  void succeeded(int most) {
    if (!size_) return;
    *size_ += 1 / *size_;
    if (*size_ >= most) size_.reset();
  }

 private:
  std::optional<double> size_;  // at least 1; nullopt: not limited
  std::optional<MonotonicTime> cut_at_;
};

}  // namespace sealpost
