// The thread that learns of changed endpoints: once a second it asks for what changed, loads that
// again and tells the network thread. It does nothing else, because secrets retire by the clock
// (core/secret_store.h): without a look for kEndpointsTrusted the network thread starts nothing.
//
// Threads: start(), stop(): any; the rest runs on the thread itself.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "core/endpoint_store.h"
#include "dispatcher/delivery_loop.h"
#include "dispatcher/endpoint_cache.h"
#include "dispatcher/inbox.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/store_health.h"

namespace sealpost {

class EndpointWatch {
 public:
  struct Parts {
    std::unique_ptr<EndpointSource> source;
    EndpointCache& endpoints;
    Inbox& inbox;
    DeliveryLoop& network;
    StoreHealth& health;
    const Clock& clock;
  };
  explicit EndpointWatch(Parts parts) : parts_(std::move(parts)) {}

  void start() {
    thread_.start([this] { run(); });
  }
  void stop() { thread_.stop(); }
  const LoopThread& thread() const { return thread_; }

 private:
  void run();
  void look();

  Parts parts_;
  Backoff backoff_;
  std::optional<MonotonicTime> looked_at_;
  LoopThread thread_;  // last: it uses everything above
};

}  // namespace sealpost
