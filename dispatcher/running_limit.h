// How many requests should run at once: as many as keep the network thread busy, and no more.
//
// With receivers that answer at once a hundred requests are plenty; a thousand only cost: each runs
// on a connection of its own, whose memory falls out of the processor's caches (26 us of CPU per
// request with 64 at once, 54 with 1,024: bench/send). With slow receivers a thousand are needed.
// So the limit follows what the thread sees when it looks at the network: nothing ended, although
// more requests wait for a place, and it rises; something ended, so there was work enough, and it
// sinks. It finds the whole range within 25 ms. What is not used is taken back, whatever else held
// the requests back (results not written, no work), so that one bad minute does not leave it high.
//
// A pure data structure; belongs to one thread.
#pragma once

#include <algorithm>

namespace sealpost {

class RunningLimit {
 public:
  explicit RunningLimit(int most) : most_(most), limit_(std::min(kLeast, most)) {}

  // Requests that may run now; the full `most` while receivers are slow.
  int value() const { return limit_; }
  bool is_full() const { return limit_ == most_; }

  // So many are running. Once per turn, before the look.
  void used(int running) { limit_ = std::clamp(running + kRise, least(), limit_); }

  // One look at the network while the limit held requests back or was full: `ended` are over.
  void looked(int ended) {
    if (ended == 0) {
      limit_ = std::min(limit_ + kRise, most_);
      return;
    }
    surplus_ += ended;
    limit_ = std::max(limit_ - surplus_ / kEndedPerStep, least());
    surplus_ %= kEndedPerStep;
  }

 private:
  static constexpr int kLeast = 64;
  static constexpr int kRise = 8;          // starting 8 requests takes 0.2 ms
  static constexpr int kEndedPerStep = 8;  // it sinks by one for that many ended requests

  int least() const { return std::min(kLeast, most_); }

  const int most_;
  int limit_;
  int surplus_ = 0;  // ended requests that have not lowered the limit yet
};

}  // namespace sealpost
