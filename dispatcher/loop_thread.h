// A thread that turns a loop until it is asked to stop. It can be woken from its sleep, and shows
// when it turned last, so that a stuck one is noticed.
//
// Threads: sleep() and turned() belong to the loop; everything else is safe from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace sealpost {

class LoopThread {
 public:
  ~LoopThread() { stop(); }

  void start(std::function<void()> loop) { thread_ = std::thread(std::move(loop)); }

  void request_stop() {
    stopping_ = true;
    ring();
  }
  bool stopping() const { return stopping_; }

  void stop() {
    request_stop();
    if (thread_.joinable()) thread_.join();
  }

  // Ends the loop's sleep, or its next one if it is awake.
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    bell_.notify_one();
  }

  void sleep(Milliseconds time) {
    std::unique_lock lock(mutex_);
    bell_.wait_for(lock, time, [this] { return rung_; });
    rung_ = false;
  }

  void turned(MonotonicTime now) { turned_at_ = now; }
  MonotonicTime turned_at() const { return turned_at_; }

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<MonotonicTime> turned_at_{MonotonicTime{}};
  std::mutex mutex_;
  std::condition_variable bell_;
  bool rung_ = false;
  std::thread thread_;
};

}  // namespace sealpost
