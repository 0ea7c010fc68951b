// core/history_store.h on PostgreSQL. A delivery stands in exactly one of three tables (deliveries,
// dead_letters, delivery_history); lists are the union of the three, newest first by id.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/history_store.h"
#include "storage/pg_session.h"
#include "storage/sealer.h"

namespace sealpost {

class PgHistoryStore final : public HistoryStore {
 public:
  // `random` must live longer.
  PgHistoryStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys, Random& random);

  std::optional<Event> event(const std::optional<std::string>& tenant, const EventId& id) override;
  Page<Event> events(const std::optional<std::string>& tenant, const PageRequest& page) override;
  std::optional<DeliveryRecord> delivery(const std::optional<std::string>& tenant,
                                         const DeliveryId& id) override;
  Page<DeliveryRecord> deliveries(const std::optional<std::string>& tenant,
                                  const DeliveryFilter& filter, const PageRequest& page) override;
  std::optional<ResponsePayload> response_payload(const std::optional<std::string>& tenant,
                                                  const DeliveryId& id) override;
  std::vector<AttemptRecord> attempts(const DeliveryId& id) override;
  // Also takes a skipped delivery, as long as its event is retained.
  ReplayResult replay(const std::optional<std::string>& tenant, const DeliveryId& id) override;
  bool discard_dead_letter(const std::optional<std::string>& tenant, const DeliveryId& id) override;

 private:
  PgSession session_;
  Sealer sealer_;
};

}  // namespace sealpost
