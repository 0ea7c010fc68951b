// Which dispatchers live. Each process registers an epoch and renews it; whose renewal is overdue
// by the store's clock is dead, and the others end its epoch and free its leases.
//
// Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/ids.h"

namespace sealpost {

struct Registration {
  Epoch epoch = 0;
  int freed = 0;  // deliveries that an earlier process of the same name had held
};

struct LiveDispatchers {
  std::vector<Epoch> epochs;
  int on_our_host = 0;  // of these, ourselves included
};

class DispatcherRegistry {
 public:
  virtual ~DispatcherRegistry() = default;

  // Starts a new epoch for `instance`. An earlier epoch of the same name is ended at once and its
  // deliveries are due again: the same name means the same, restarted process.
  virtual Registration start(const std::string& instance, std::chrono::seconds lease) = 0;

  // Extends the lease by its duration from now. False: the epoch was ended by another dispatcher.
  virtual bool renew(Epoch epoch, std::chrono::seconds lease) = 0;

  // Those that are alive now.
  virtual LiveDispatchers live() = 0;

  // Ends overdue epochs and frees what they held. Returns the number of freed deliveries.
  virtual int take_over_dead() = 0;

  // Ends our own epoch on a clean stop; whatever is still leased to it becomes due.
  virtual void stop(Epoch epoch) = 0;
};

}  // namespace sealpost
