// Deliveries that share a row: those that fan-out leased at once (sealpost.delivery_batches). One
// that is delivered at the first attempt goes straight to the history; with any other outcome it
// gets a row of its own first, in the same transaction, and from there on it is like all others.
//
// Nobody but the process whose epoch holds a batch changes anything about it while that epoch
// lives, and there only the thread that reports results. A transaction whose outcome is in doubt
// may still be running on the server while its repetition runs: therefore whoever uses a batch
// locks it FOR KEY SHARE, and whoever breaks it up FOR UPDATE.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "core/delivery.h"
#include "storage/pg_session.h"

namespace sealpost {

extern const PgStatement kGiveRowsStatement;

// Gives deliveries rows of their own, if they are members of a batch of their epoch and nothing has
// become of them.
void give_rows(PgTransaction& transaction, std::span<const LeasedDelivery* const> deliveries);

// The same for everything that lives in the batches of these epochs, which are no more thereafter.
// Returns how many. A living epoch's rows stay leased to it, those of an ended one are free.
int break_up_batches(PgTransaction& transaction, const PgArray& epochs, std::chrono::seconds age,
                     bool ended);

// Counts which members leave their batches with a transaction.
class LeavingMembers {
 public:
  void add(const LeasedDelivery& delivery) {
    if (delivery.batch) ++counts_[delivery.batch];
  }
  // Batches that will be empty.
  PgArray emptied() const;
  // To be called when the transaction has committed.
  void left() const {
    for (const auto& [batch, count] : counts_) batch->open -= count;
  }

 private:
  std::map<std::shared_ptr<DeliveryBatch>, int> counts_;
};

// For transactions that do not remove emptied batches by themselves. Nothing if there are none.
void remove_emptied(PgTransaction& transaction, const LeavingMembers& leaving);

}  // namespace sealpost
