// An HttpSender without a network. Requests wait until the test answers them, or are answered by a
// script at once. Everything that was started is kept for inspection.
//
// Threads: as HttpSender; answer(), the counts and started() are safe from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "dispatcher/http_sender.h"

namespace sealpost {

inline AttemptOutcome answered(int status_code) {
  AttemptOutcome outcome;
  outcome.status_code = status_code;
  outcome.remote_address = "203.0.113.7:443";
  return outcome;
}

inline AttemptOutcome failed(AttemptError error) {
  AttemptOutcome outcome;
  outcome.error = error;
  outcome.error_detail = "made by the test";
  return outcome;
}

// Shared by the sender, which the dispatcher owns, and the test, which outlives it.
class FakeNetwork {
 public:
  // What every request gets at once; nullptr: they wait for answer_oldest().
  using Script = std::function<AttemptOutcome(const HttpRequest&)>;

  explicit FakeNetwork(const Clock& clock) : clock_(clock) {}

  void script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }

  // Ends the request that waits longest. There must be one.
  void answer_oldest(AttemptOutcome outcome) {
    const std::lock_guard lock(mutex_);
    const Waiting oldest = waiting_.at(0);
    waiting_.pop_front();
    end(oldest, std::move(outcome));
  }

  std::vector<HttpRequest> started() const {
    const std::lock_guard lock(mutex_);
    return started_;
  }
  std::size_t started_count() const {
    const std::lock_guard lock(mutex_);
    return started_.size();
  }
  std::size_t waiting_count() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  int most_in_flight() const {
    const std::lock_guard lock(mutex_);
    return most_in_flight_;
  }

 private:
  friend class FakeHttpSender;
  struct Waiting {
    std::uint64_t tag;
    WallTime started_at;
    MonotonicTime started;
  };

  void end(const Waiting& request, AttemptOutcome outcome) {
    const MonotonicTime now = clock_.monotonic_now();
    outcome.duration = std::chrono::duration_cast<std::chrono::microseconds>(now - request.started);
    ended_.push_back({request.tag, std::move(outcome), request.started_at, now});
    changed_.notify_one();
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  Script script_;
  std::vector<HttpRequest> started_;
  std::deque<Waiting> waiting_;
  std::vector<FinishedRequest> ended_;
  int in_flight_ = 0;
  int most_in_flight_ = 0;
};

class FakeHttpSender final : public HttpSender {
 public:
  explicit FakeHttpSender(FakeNetwork& network) : network_(network) {}

  void start(std::uint64_t tag, HttpRequest request) override {
    const std::lock_guard lock(network_.mutex_);
    ++network_.in_flight_;
    network_.most_in_flight_ = std::max(network_.most_in_flight_, network_.in_flight_);
    const FakeNetwork::Waiting waiting{tag, network_.clock_.wall_now(),
                                       network_.clock_.monotonic_now()};
    if (network_.script_) {
      network_.end(waiting, network_.script_(request));
    } else {
      network_.waiting_.push_back(waiting);
    }
    network_.started_.push_back(std::move(request));
  }

  void poll(Milliseconds timeout, std::vector<FinishedRequest>& finished) override {
    std::unique_lock lock(network_.mutex_);
    network_.changed_.wait_for(lock, timeout,
                               [&] { return network_.woken_ || !network_.ended_.empty(); });
    network_.woken_ = false;
    for (FinishedRequest& ended : network_.ended_) finished.push_back(std::move(ended));
    network_.in_flight_ -= static_cast<int>(network_.ended_.size());
    network_.ended_.clear();
  }

  void wake() override {
    const std::lock_guard lock(network_.mutex_);
    network_.woken_ = true;
    network_.changed_.notify_one();
  }

  int in_flight() const override {
    const std::lock_guard lock(network_.mutex_);
    return network_.in_flight_;
  }

 private:
  FakeNetwork& network_;
};

}  // namespace sealpost
