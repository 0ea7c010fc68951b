// When our own retries are due, so that they are claimed at that moment and not at the next look
// into the store. A hint: what is forgotten here is found by that look (at most 200 ms later).
//
// Threads: safe from any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <queue>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/ids.h"
#include "core/limits.h"

namespace sealpost {

class RetryTimes {
 public:
  void remember(const EndpointId& endpoint, MonotonicTime due) {
    const std::lock_guard lock(mutex_);
    if (times_.size() < kMaxRememberedRetries) times_.emplace(due, endpoint);
  }

  std::vector<EndpointId> take_due(MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    std::vector<EndpointId> due;
    while (!times_.empty() && times_.top().first <= now) {
      due.push_back(times_.top().second);
      times_.pop();
    }
    return due;
  }

 private:
  using Time = std::pair<MonotonicTime, EndpointId>;
  std::mutex mutex_;
  std::priority_queue<Time, std::vector<Time>, std::greater<>> times_;
};

}  // namespace sealpost
