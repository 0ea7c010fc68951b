// The heartbeat thread: keeps our epoch alive and knows which buckets are ours. It does nothing
// else, so that a renewal never waits behind a slow statement.
//
// Renewed every lease/6: four tries may fail before the trust of the others runs out. We trust the
// lease until the moment the renewal was asked for, plus its duration, minus a tenth of it for
// clocks that run differently and for what happens between a look at the clock and a packet on the
// wire.
//
// Threads: begin() before start(); the rest runs on the heartbeat thread, stop() from any.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "core/dispatcher_registry.h"
#include "dispatcher/dispatcher_metrics.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/membership.h"
#include "dispatcher/store_health.h"

namespace sealpost {

class Heartbeat {
 public:
  struct Parts {
    std::unique_ptr<DispatcherRegistry> registry;
    Membership& membership;
    // Nothing is in flight and every result is written: an epoch in doubt can be ended without a
    // duplicate.
    std::function<bool()> nothing_underway;
    StoreHealth& health;
    DispatcherMetrics& metrics;
    const Clock& clock;
  };
  Heartbeat(Parts parts, std::string instance, std::chrono::seconds lease)
      : parts_(std::move(parts)), instance_(std::move(instance)), lease_(lease) {}

  // Registers and learns who else lives. Throws StorageError.
  void begin();
  void start() {
    thread_.start([this] { run(); });
  }

  // Ends the thread and the epoch; what is still leased to it becomes due. False if the store could
  // not be told: then the epoch dies when its lease runs out.
  bool stop();

  const LoopThread& thread() const { return thread_; }

 private:
  void run();
  void beat();
  void renew();
  void look_around();

  Parts parts_;
  const std::string instance_;
  const std::chrono::seconds lease_;
  Backoff backoff_;
  std::optional<MonotonicTime> next_renewal_;
  std::optional<MonotonicTime> next_look_;
  LoopThread thread_;  // last: it uses everything above
};

}  // namespace sealpost
