// core/dispatcher_registry.h on PostgreSQL: one row per living dispatcher, judged by the database's
// clock.
//
// Ending an epoch deletes its row first and then frees its deliveries, in one transaction. Whoever
// works under an epoch (intake, claim, finish) holds its row FOR KEY SHARE until commit. So the
// delete waits for them, the freeing sees all they did, and nothing is leased to an epoch that has
// ended.
#pragma once

#include <string>

#include "core/dispatcher_registry.h"
#include "storage/pg_session.h"

namespace sealpost {

class PgDispatcherRegistry final : public DispatcherRegistry {
 public:
  // `host`: of this process, as it calls itself.
  PgDispatcherRegistry(DatabaseOptions options, std::string host);

  Registration start(const std::string& instance, std::chrono::seconds lease) override;
  bool renew(Epoch epoch, std::chrono::seconds lease) override;
  LiveDispatchers live() override;
  int take_over_dead() override;
  void stop(Epoch epoch) override;

 private:
  PgSession session_;
  const std::string host_;
};

}  // namespace sealpost
