// Writes what happened to deliveries, in batches: results of attempts, and deliveries that end or
// go back without one. Nothing is given up while the store is away: results wait in memory, in
// order, and are written first when it is back. Repeating a write is harmless
// (core/delivery_store.h), so an error in doubt is answered by the same write again.
//
// A batch that the store refuses for good is halved until the culprit stands alone; that one
// delivery is dead-lettered as `internal`, so that one bad row cannot hold up all others.
//
// Threads: add…() and the counts are safe from any thread; the rest runs on the finish thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/delivery_store.h"
#include "core/endpoint_store.h"
#include "core/limits.h"
#include "dispatcher/dispatcher_metrics.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/membership.h"
#include "dispatcher/retry_times.h"
#include "dispatcher/store_health.h"

namespace sealpost {

class Finisher {
 public:
  struct Parts {
    std::unique_ptr<DeliveryStore> store;
    std::unique_ptr<EndpointSource> endpoints;  // to disable one that is gone
    RetryTimes& retry_times;
    StoreHealth& health;
    DispatcherMetrics& metrics;
    const Membership& membership;
    const Clock& clock;
    // Called on the finish thread whenever unfinished() has fallen: somebody may wait for room.
    std::function<void()> on_written;
  };
  // `worthwhile` results are written without waiting for more. What waits would be sent again after
  // a crash, so it must stay well below the number of requests in flight.
  explicit Finisher(Parts parts, std::size_t worthwhile = kFinishBatch)
      : parts_(std::move(parts)), worthwhile_(worthwhile) {}

  void start() {
    thread_.start([this] { run(); });
  }

  void add(std::vector<FinishedAttempt> attempts);
  void add_released(Epoch epoch, std::vector<LeasedDelivery> unsent);
  void add_skipped(Epoch epoch, std::vector<LeasedDelivery> deliveries);
  void add_failed(Epoch epoch, std::vector<std::pair<LeasedDelivery, FailureReason>> deliveries);

  // Nothing else is sent until there is room: what is here is written without waiting for more.
  void hurry();

  // Until then others wait for the same database: statements stay small, as long as that is enough.
  void keep_small_until(MonotonicTime time) { small_until_ = time; }

  // Handed in and not yet written.
  int unfinished() const { return unfinished_; }

  // Writes what is there and ends. Gives up at `deadline` if the store is away; then unfinished()
  // is what was lost.
  void stop_by(MonotonicTime deadline);

  const LoopThread& thread() const { return thread_; }

 private:
  using Statement = std::function<void(DeliveryStore&, EndpointSource&)>;
  enum class Written { yes, refused, gave_up };

  void run();
  void add_statement(Statement statement, int deliveries);
  bool write_statement();
  void break_up_batches();
  void gather(std::size_t written_last);
  std::size_t write_attempts();
  Written write(std::span<const FinishedAttempt> attempts);
  bool write_or_isolate(std::span<const FinishedAttempt> attempts);
  bool dead_letter(const FinishedAttempt& attempt);
  void written(std::span<const FinishedAttempt> attempts, const FinishResult& result,
               MonotonicTime asked_at);
  void done(int deliveries);
  bool may_go_on() const;
  bool keeps_small() const { return parts_.clock.monotonic_now() < small_until_.load(); }
  std::size_t enough() const;
  void rest(const StorageError& error);

  Parts parts_;
  const std::size_t worthwhile_;
  std::atomic<int> unfinished_{0};
  std::atomic<bool> has_deadline_{false};
  std::atomic<MonotonicTime> deadline_{MonotonicTime{}};
  std::atomic<MonotonicTime> small_until_{MonotonicTime{}};
  Backoff backoff_;
  MonotonicTime next_break_up_{};

  std::mutex mutex_;
  std::deque<FinishedAttempt> attempts_;
  bool others_wait_ = false;    // for one of them, in their order
  bool sending_waits_ = false;  // for room
  std::deque<std::pair<Statement, int>> statements_;

  LoopThread thread_;  // last: it uses everything above
};

}  // namespace sealpost
