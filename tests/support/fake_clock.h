// A clock that stands still until the test moves it. Safe from any thread, like every Clock.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace sealpost {

class FakeClock final : public Clock {
 public:
  // 2026-05-27T09:00:00Z, unless the test cares.
  static constexpr WallTime kStart{std::chrono::sys_days{std::chrono::year{2026} / 5 / 27} +
                                   std::chrono::hours{9}};

  explicit FakeClock(WallTime wall = kStart) : wall_(wall.time_since_epoch()) {}

  WallTime wall_now() const override { return WallTime(wall_.load()); }
  MonotonicTime monotonic_now() const override { return MonotonicTime(monotonic_.load()); }

  // Time passes: both clocks move.
  void advance(std::chrono::microseconds by) {
    wall_.store(wall_.load() + by);
    monotonic_.store(monotonic_.load() + by);
  }

  // Somebody sets the wall clock; the monotonic one does not notice.
  void set_wall(WallTime wall) { wall_.store(wall.time_since_epoch()); }

 private:
  std::atomic<std::chrono::microseconds> wall_;
  // Not zero: code that takes "zero" for "never" must fail in tests.
  std::atomic<std::chrono::nanoseconds> monotonic_{std::chrono::hours{1000}};
};

}  // namespace sealpost
