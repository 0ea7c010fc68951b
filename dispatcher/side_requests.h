// Requests that are no deliveries (dispatcher/validator.h), on their way to the network thread, and
// what came of them on its way back. So there is one sender, with one address policy, for
// everything that leaves.
//
// Threads: ask(), take_answers(): one thread; take_asked(), answer(): the network thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "core/attempt.h"
#include "core/webhook_request.h"

namespace sealpost {

class SideRequests {
 public:
  // Of the sender's tags, those with this bit are ours.
  static constexpr std::uint64_t kTag = std::uint64_t{1} << 63;

  struct Asked {
    std::uint64_t tag = 0;
    HttpRequest request;
  };
  struct Answer {
    std::uint64_t tag = 0;
    AttemptOutcome outcome;
  };

  // The tag of its answer. Wake the network thread afterwards.
  std::uint64_t ask(HttpRequest request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back({kTag | ++last_, std::move(request)});
    waits_ = true;
    return asked_.back().tag;
  }
  std::vector<Answer> take_answers() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }

  std::vector<Asked> take_asked() {
    if (!waits_) return {};
    const std::lock_guard lock(mutex_);
    waits_ = false;
    return std::exchange(asked_, {});
  }
  void answer(std::uint64_t tag, AttemptOutcome outcome) {
    const std::lock_guard lock(mutex_);
    answers_.push_back({tag, std::move(outcome)});
  }

 private:
  std::atomic<bool> waits_{false};  // spares the network thread the lock
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::vector<Asked> asked_;
  std::vector<Answer> answers_;
};

}  // namespace sealpost
