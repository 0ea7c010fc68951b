// core/delivery_store.h on PostgreSQL. The statements stand in three files: taking events in
// (pg_intake.cc), recording what happened (pg_finish.cc), everything else (pg_delivery_store.cc).
#pragma once

#include "core/delivery_store.h"
#include "storage/pg_session.h"

namespace sealpost {

class PgDeliveryStore final : public DeliveryStore {
 public:
  explicit PgDeliveryStore(DatabaseOptions options);

  IntakeResult intake(const IntakeRequest& request) override;
  std::vector<EndpointId> endpoints_with_due(std::span<const std::int16_t> buckets,
                                             int limit) override;
  std::vector<LeasedDelivery> claim(Epoch epoch, std::span<const ClaimRequest> requests) override;
  FinishResult finish(std::span<const FinishedAttempt> attempts, MonotonicTime now) override;
  void release(Epoch epoch, std::span<const DeliveryId> unsent) override;
  void skip(Epoch epoch, std::span<const DeliveryId> deliveries) override;
  void fail(Epoch epoch, std::span<const std::pair<DeliveryId, FailureReason>> deliveries) override;

 private:
  PgSession session_;
};

// Transactions of the statements that run all the time.
inline constexpr PgTransactionOptions kHotTransaction{.plans = PgPlans::by_index,
                                                      .statement_timeout = std::chrono::seconds{15},
                                                      .lock_timeout = std::chrono::seconds{5}};

}  // namespace sealpost
