// How many requests should run at once: as many as keep the network thread busy, and no more. Those
// that have been running for a second do not count: they keep nobody busy (recent_requests.h).
//
// With receivers that answer at once a hundred requests are plenty; a thousand only cost: each runs
// on a connection of its own, whose memory falls out of the processor's caches (26 us of CPU per
// request with 64 at once, 54 with 1,024: bench/send). With slow receivers a thousand are needed.
// So the limit follows what the thread finds when it looks at the network although more requests
// wait for a place. Nothing for some time, or one or two that ended: it has time for more, and the
// limit rises. Many at once: they had to wait for it, and the limit sinks. What is not used is
// taken back, whatever else held the requests back (results not written, no work), so that one bad
// minute does not leave it high.
//
// Dispatchers on one host share its caches, so the least of one is divided among them.
//
// The thread must sleep in such a look. When it span instead, receivers on the same machine got no
// processor to answer with, which looked as if they were slow (decision 7).
//
// A pure data structure; belongs to one thread.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace sealpost {

class RunningLimit {
 public:
  explicit RunningLimit(int most) : most_(most), limit_(std::min(kLeast, most)) {}

  // Requests that may run now; the full `most` while receivers are slow.
  int value() const { return limit_; }
  bool is_full() const { return limit_ == most_; }

  // So many are running, of those that began lately (recent_requests.h), and so many dispatchers
  // share our host. Once per turn, before the look.
  void used(int running, int dispatchers) {
    least_ = std::min(std::max(kLeast / dispatchers, kLeastOfMany), most_);
    limit_ = std::clamp(running + kRise, least_, std::max(least_, limit_));
  }

  // How long a look should wait for something to end.
  static constexpr Milliseconds kLook{4};

  // One look at the network while the limit held requests back or was full: it took `waited`, and
  // `ended` are over.
  void looked(int ended, MonotonicTime::duration waited) {
    if (ended == 0) return found_nothing(waited);
    waited_ = {};
    silences_ = 0;
    if (ended <= kFew) {
      limit_ = std::min(limit_ + 1, most_);
      return;
    }
    const int squared = std::min(ended, most_) * std::min(ended, most_);
    limit_ = std::max(limit_ - std::min(squared / kSinkPer, limit_ / 2), least_);
  }

 private:
  static constexpr int kLeast = 64;
  static constexpr int kLeastOfMany = 8;
  static constexpr int kRise = 8;  // starting 8 requests takes 0.2 ms
  // What ends while the thread handles one request (30 us) is one more at most, unless it is busy.
  static constexpr int kFew = 2;
  // It sinks by one for 8 at once, by 64 for 64: what a busy machine lets through in bursts.
  static constexpr int kSinkPer = 64;

  // By more each time, as long as nothing ends: receivers that hang must not keep the others
  // waiting for a place.
  void found_nothing(MonotonicTime::duration waited) {
    waited_ += waited;
    if (waited_ < kLook) return;
    waited_ = {};
    limit_ = std::min(limit_ + kRise * ++silences_, most_);
  }

  const int most_;
  int limit_;
  int least_ = limit_;
  MonotonicTime::duration waited_{};  // since something ended or the limit rose
  int silences_ = 0;                  // rises since something ended
};

}  // namespace sealpost
