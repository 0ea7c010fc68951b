// core/maintenance.h on PostgreSQL: makes, fills and drops the partitions of outbox,
// delivery_history and attempts. One at a time per database; each partition in a transaction of its
// own, so that a long producer transaction delays that partition and nothing else.
//
// An outbox partition is dropped only when no event of it is waiting, being delivered or
// dead-lettered. History and attempts go by age alone.
#pragma once

#include "core/maintenance.h"
#include "storage/pg_session.h"

namespace sealpost {

class PgMaintenance final : public Maintenance {
 public:
  explicit PgMaintenance(DatabaseOptions options);
  MaintenanceReport run(const RetentionOptions& options) override;

 private:
  struct Family;
  void create_partitions(const Family& family, const RetentionOptions& options,
                         MaintenanceReport& report);
  void drop_partitions(const Family& family, const RetentionOptions& options,
                       MaintenanceReport& report);
  void empty_defaults(const RetentionOptions& options, MaintenanceReport& report);

  PgSession session_;
};

}  // namespace sealpost
