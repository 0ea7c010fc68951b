// core/delivery_store.h on PostgreSQL. The statements stand in four files: taking events in
// (pg_intake.cc), picking up what others took in for us (pg_handovers.cc), recording what happened
// (pg_finish.cc), everything else (pg_delivery_store.cc);
// pg_delivery_batches.h is about deliveries that share a row.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "core/delivery_store.h"
#include "storage/pg_session.h"
#include "storage/sealer.h"

namespace sealpost {

class PgDeliveryStore final : public DeliveryStore {
 public:
  // `random` must live longer. The keys are for what receivers answer encrypted.
  PgDeliveryStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys, Random& random);

  IntakeResult intake(const IntakeRequest& request) override;
  std::vector<EndpointId> endpoints_with_due(std::span<const std::int16_t> buckets,
                                             int limit) override;
  std::vector<LeasedDelivery> claim(Epoch epoch, std::span<const ClaimRequest> requests,
                                    int at_most) override;
  FinishResult finish(std::span<const FinishedAttempt> attempts, MonotonicTime now) override;
  void release(Epoch epoch, std::span<const LeasedDelivery> unsent) override;
  void skip(Epoch epoch, std::span<const LeasedDelivery> deliveries) override;
  void fail(Epoch epoch,
            std::span<const std::pair<LeasedDelivery, FailureReason>> deliveries) override;
  void break_up_batches(Epoch epoch, std::chrono::seconds age) override;

 private:
  struct Waiting {
    bool events = false;
    bool handed_over = false;
  };
  Waiting what_waits(const IntakeRequest& request, IntakeResult& result);
  int look_out_of_turn(const IntakeRequest& request, IntakeResult& result);
  void take_in(const IntakeRequest& request, int newest, IntakeResult& result);
  void pick_up(const IntakeRequest& request, IntakeResult& result);
  FinishResult finish_once(std::span<const FinishedAttempt> attempts, MonotonicTime now);
  template <class Work>
  void end(std::span<const LeasedDelivery* const> deliveries, Work&& work);

  PgSession session_;
  Sealer sealer_;
  // Up to this position nothing waits, late commits left out. Others take events in, too: who did
  // not follow them would pass their dead rows at every look.
  std::int64_t seen_to_ = 0;
  std::string last_handover_;    // the highest before which nothing waits any more
  std::string handovers_after_;  // before it are dead rows only, or nearly so
  // Their finish failed, perhaps after it was committed. At most what is in flight.
  std::set<DeliveryId> in_doubt_;
};

// Transactions of the statements that run all the time.
inline constexpr PgTransactionOptions kHotTransaction{.plans = PgPlans::by_index,
                                                      .statement_timeout = std::chrono::seconds{15},
                                                      .lock_timeout = std::chrono::seconds{5}};

}  // namespace sealpost
