// The upkeep thread: what must happen now and then and may take its time. Takes over dead
// dispatchers, keeps the store's partitions.
//
// Threads: start(), stop(): any; the rest runs on the upkeep thread.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "core/dispatcher_registry.h"
#include "core/maintenance.h"
#include "dispatcher/dispatcher_metrics.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/store_health.h"

namespace sealpost {

class Upkeep {
 public:
  struct Parts {
    std::unique_ptr<DispatcherRegistry> registry;
    std::unique_ptr<Maintenance> maintenance;
    StoreHealth& health;
    DispatcherMetrics& metrics;
    const Clock& clock;
  };
  Upkeep(Parts parts, RetentionOptions retention)
      : parts_(std::move(parts)), retention_(retention) {}

  void start() {
    thread_.start([this] { run(); });
  }
  void stop() { thread_.stop(); }
  const LoopThread& thread() const { return thread_; }

 private:
  void run();
  void take_over();
  void maintain();

  Parts parts_;
  const RetentionOptions retention_;
  Backoff backoff_;
  std::optional<MonotonicTime> next_takeover_;
  std::optional<MonotonicTime> next_maintenance_;
  LoopThread thread_;  // last: it uses everything above
};

}  // namespace sealpost
