// What a statement returns that fans events out, or picks up what another dispatcher fanned out: a
// row that sums up, then one for each delivery that is leased to us.
//
// Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <string_view>
#include <vector>

#include "core/delivery_store.h"
#include "storage/pg_delivery_batches.h"
#include "storage/pg_session.h"

namespace sealpost {

class FanOut {
 public:
  // Columns of the first row, and of the others.
  enum SummaryColumn { kLastPosition, kEvents, kDeliveries, kOverflowed, kInTurn };
  enum LeasedColumn { kPosition, kId, kVersion, kEndpoint, kEvent, kTenant };

  explicit FanOut(Epoch epoch) : epoch_(epoch) {}

  // The leased deliveries. Those whose event somebody deleted by hand are dead-lettered.
  std::vector<LeasedDelivery> read(PgTransaction& transaction, const PgRows& rows);
  void committed() const { leaving_.left(); }

  // "we_…,we_…"
  static std::vector<EndpointId> split_ids(std::string_view list);

 private:
  const Epoch epoch_;
  LeavingMembers leaving_;
};

}  // namespace sealpost
