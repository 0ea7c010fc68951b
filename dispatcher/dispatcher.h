// The dispatcher: takes events in, sends deliveries, records what happened. Any number of identical
// ones may share a database.
//
// Threads inside (each with its own stores, so no connection is shared):
//   intake     polls the store for new events and due deliveries
//   network    the schedule and the sender; the only one that knows queues, limits and order
//   finish     writes results in batches
//   heartbeat  renews the lease, learns who else lives; nothing slow, so that a renewal never waits
//   watch      learns of changed endpoints
//   upkeep     takes over dead dispatchers, runs maintenance
//   validator  asks receivers for their consent
// The public methods are called by one thread, except where noted.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "core/delivery_store.h"
#include "core/dispatcher_registry.h"
#include "core/endpoint_store.h"
#include "core/limits.h"
#include "core/maintenance.h"
#include "core/validation_store.h"
#include "dispatcher/http_sender.h"
#include "dispatcher/validation_options.h"

namespace sealpost {

struct DispatcherOptions {
  std::string instance;  // unique among running dispatchers of a database
  std::chrono::seconds lease{
      30};  // 5…300; must exceed the slowest database restart to avoid takeovers
  int max_in_flight = kDefaultMaxInFlight;  // requests at once
  Milliseconds busy_poll{2};                // between polls while events keep coming
  Milliseconds idle_poll{5};                // otherwise
  std::chrono::seconds drain{30};           // how long stop() waits for requests in flight
  RetentionOptions retention;
  ValidationOptions validation{};
};

class Dispatcher {
 public:
  // Each thread makes its own stores. The factories must be safe to call from several threads; what
  // they make may throw StorageError later, when the database is gone, and recovers by itself.
  struct Dependencies {
    std::function<std::unique_ptr<DeliveryStore>()> delivery_store;
    std::function<std::unique_ptr<DispatcherRegistry>()> registry;
    std::function<std::unique_ptr<EndpointSource>()> endpoints;
    std::function<std::unique_ptr<Maintenance>()> maintenance;
    std::function<std::unique_ptr<ValidationStore>()> validations;
    std::unique_ptr<HttpSender> sender;
    Clock& clock;
    Random& random;
  };

  Dispatcher(Dependencies dependencies, DispatcherOptions options);
  ~Dispatcher();

  // Registers and starts the threads. Throws StorageError if the database cannot be reached.
  void start();

  // Drains and stops: starts no more requests, waits for those in flight (at most options.drain),
  // writes their results, gives back the rest, ends the epoch. Returns true if nothing was left
  // behind.
  bool stop();

  // Makes a running or coming stop() give up waiting for requests in flight. Safe from any thread.
  void hurry();

  // Safe from any thread.
  bool is_live() const;                   // the threads turn
  bool is_ready(std::string& why) const;  // the lease is held and the store was reached lately
  std::string metrics_text() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
