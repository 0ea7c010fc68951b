// Waiting for another thread in tests: asks until the answer is yes, or until so much time has
// passed that it never will be.
#pragma once

#include <functional>

#include "dispatcher/loop_thread.h"

namespace sealpost {

[[nodiscard]] inline bool wait_for(const std::function<bool()>& condition) {
  constexpr Milliseconds kPause{1};
  constexpr std::chrono::seconds kGiveUp{30};
  const SystemClock clock;
  const MonotonicTime give_up = clock.monotonic_now() + kGiveUp;
  LoopThread pause;  // never started; its bell is the only sleep
  while (!condition()) {
    if (clock.monotonic_now() > give_up) return false;
    pause.sleep(kPause);
  }
  return true;
}

}  // namespace sealpost
