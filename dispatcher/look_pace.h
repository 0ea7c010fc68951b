// How long to wait after looks for events that are slow and find nothing.
//
// Rows that are not committed yet stand in the way of a look: PostgreSQL passes them one by one. An
// open transaction that has inserted 200,000 events makes each look take 30 ms, so looking every
// 5 ms kept four fifths of a core busy for as long as it stayed open. Then looks take a fifth of
// the time, as long as the longest wait allows. Once something behind those rows was taken in,
// looks begin there, and are quick again.
//
// One slow look says nothing, on a busy machine each may have waited for a processor: what counts
// is what the quickest of the last few took.
//
// A pure data structure; belongs to one thread.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace sealpost {

class LookPace {
 public:
  void looked(MonotonicTime ended, MonotonicTime::duration took, bool found) {
    using Duration = MonotonicTime::duration;
    quickest_ = found ? Duration{} : std::min(took, 2 * std::max<Duration>(quickest_, kQuick / 4));
    const bool slow = quickest_ >= kQuick;
    next_ = slow ? ended + std::min<Duration>(4 * quickest_, kLongest) : ended;
  }

  // No look before.
  MonotonicTime next() const { return next_; }

  static constexpr Milliseconds kLongest{250};

 private:
  static constexpr Milliseconds kQuick{4};

  MonotonicTime::duration quickest_{};  // may double with each look
  MonotonicTime next_{};
};

}  // namespace sealpost
