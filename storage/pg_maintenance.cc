#include "storage/pg_maintenance.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "storage/advisory_locks.h"

namespace sealpost {

struct PgMaintenance::Family {
  std::string_view parent;
  std::string_view id_prefix;  // of the partition key
  std::string_view key;
};

namespace {

// Days that need a partition and have none: from yesterday (a producer's transaction may be that
// old) to the days ahead, and every other day inside the retention with rows in the default
// partition. Probes the default partition's primary key (other_attempts: its index) once per day;
// locks nothing. $1 days of retention, $2 days ahead.
constexpr const char* kMissingDays = R"sql(
SELECT day::date, sealpost.partition_name('{0}', day::date)
FROM generate_series((now() AT TIME ZONE 'UTC')::date - $1::int,
                     (now() AT TIME ZONE 'UTC')::date + $2::int, interval '1 day') AS day
WHERE to_regclass('sealpost.' || sealpost.partition_name('{0}', day::date)) IS NULL
  AND (day::date >= (now() AT TIME ZONE 'UTC')::date - 1
       OR EXISTS (SELECT FROM sealpost.{0}_default
                  WHERE {2} >= sealpost.first_id('{1}', day::date)
                    AND {2} < sealpost.first_id('{1}', day::date + 1)))
ORDER BY day)sql";

// Partitions whose whole day is past retention. $1 days of retention.
constexpr const char* kExpiredDays = R"sql(
SELECT to_date(right(c.relname, 10), 'YYYY_MM_DD') AS day, c.relname
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'sealpost.{0}'::regclass AND c.relname ~ '_\d{{4}}_\d\d_\d\d$'
  AND to_date(right(c.relname, 10), 'YYYY_MM_DD') < (now() AT TIME ZONE 'UTC')::date - $1::int
ORDER BY day)sql";

constexpr const char* kAddPartition = "SELECT sealpost.add_partition($1, $2, $3::date)";
constexpr const char* kDropPartition = "SELECT sealpost.drop_partition($1, $2, $3::date)";

// What is old in the default partitions belongs to days that have no partition any more. Events
// that are still needed stay; the three tables are asked in the snapshot that finds the event. $1
// days.
constexpr const char* kOldDefaultEvents = R"sql(
DELETE FROM sealpost.outbox_default o
WHERE o.id < sealpost.first_id('evt_', (now() AT TIME ZONE 'UTC')::date - $1::int)
  AND NOT EXISTS (SELECT FROM sealpost.intake i WHERE i.event_id = o.id)
  AND NOT EXISTS (SELECT FROM sealpost.deliveries d WHERE d.event_id = o.id)
  AND NOT EXISTS (SELECT FROM sealpost.dead_letters l WHERE l.event_id = o.id))sql";

// By the time of the end and not of the id: a delivery may end long after its day's partition was
// dropped, and its record is then as new as any other.
constexpr const char* kOldDefaultHistory = R"sql(
DELETE FROM sealpost.delivery_history_default WHERE finished_at < now() - $1::int * interval '1 day')sql";
constexpr const char* kOldDefaultPayloads = R"sql(
DELETE FROM sealpost.response_payloads_default r
WHERE NOT EXISTS (SELECT FROM sealpost.delivery_history h WHERE h.id = r.id))sql";
constexpr const char* kOldDefaultAttempts = R"sql(
DELETE FROM sealpost.other_attempts_default WHERE started_at < now() - $1::int * interval '1 day')sql";

constexpr PgTransactionOptions kMaintaining{.statement_timeout = std::chrono::minutes{5},
                                            .try_lock = kMaintenanceLock};

int retention_days(const RetentionOptions& options) {
  return static_cast<int>(options.retention.count());
}

}  // namespace

PgMaintenance::PgMaintenance(DatabaseOptions options) : session_(std::move(options)) {}

MaintenanceReport PgMaintenance::run(const RetentionOptions& options) {
  static constexpr std::array<Family, 4> kFamilies = {{{"outbox", "evt_", "id"},
                                                       {"delivery_history", "dlv_", "id"},
                                                       {"response_payloads", "dlv_", "id"},
                                                       {"other_attempts", "dlv_", "delivery_id"}}};
  MaintenanceReport report;
  for (const Family& family : kFamilies) create_partitions(family, options, report);
  for (const Family& family : kFamilies) drop_partitions(family, options, report);
  empty_defaults(options, report);
  return report;
}

void PgMaintenance::create_partitions(const Family& family, const RetentionOptions& options,
                                      MaintenanceReport& report) {
  const PgRows missing =
      session_.query_once(fmt::format(kMissingDays, family.parent, family.id_prefix, family.key),
                          PgParameters().add(retention_days(options)).add(options.days_ahead));
  for (int i = 0; i < missing.size() && !report.busy; ++i) {
    session_.transaction(kMaintaining, [&](PgTransaction& transaction) {
      report.busy = !transaction.locked();
      if (report.busy) return;
      const PgRows made = transaction.run_once(
          kAddPartition,
          PgParameters().add(family.parent).add(family.id_prefix).add(missing.text(i, 0)));
      if (made.view(0, 0) == "created") report.created.push_back(missing.text(i, 1));
    });
  }
}

void PgMaintenance::drop_partitions(const Family& family, const RetentionOptions& options,
                                    MaintenanceReport& report) {
  if (report.busy) return;
  const PgRows expired = session_.query_once(fmt::format(kExpiredDays, family.parent),
                                             PgParameters().add(retention_days(options)));
  for (int i = 0; i < expired.size() && !report.busy; ++i) {
    session_.transaction(kMaintaining, [&](PgTransaction& transaction) {
      report.busy = !transaction.locked();
      if (report.busy) return;
      const PgRows outcome = transaction.run_once(
          kDropPartition,
          PgParameters().add(family.parent).add(family.id_prefix).add(expired.text(i, 0)));
      if (outcome.view(0, 0) == "dropped") report.dropped.push_back(expired.text(i, 1));
      if (outcome.view(0, 0) == "kept") report.kept.push_back(expired.text(i, 1));
    });
  }
}

void PgMaintenance::empty_defaults(const RetentionOptions& options, MaintenanceReport& report) {
  if (report.busy) return;
  session_.transaction(kMaintaining, [&](PgTransaction& transaction) {
    report.busy = !transaction.locked();
    if (report.busy) return;
    const PgParameters days = PgParameters().add(retention_days(options));
    transaction.run_once(kOldDefaultEvents, days);
    transaction.run_once(kOldDefaultHistory, days);
    transaction.run_once(kOldDefaultPayloads);
    transaction.run_once(kOldDefaultAttempts, days);
  });
}

}  // namespace sealpost
