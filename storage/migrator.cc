#include "storage/migrator.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/maintenance.h"
#include "storage/advisory_locks.h"
#include "storage/pg_maintenance.h"

namespace sealpost {
namespace {

constexpr const char* kCreateTable = R"sql(
CREATE SCHEMA IF NOT EXISTS sealpost;
CREATE TABLE IF NOT EXISTS sealpost.migrations (
  version     int PRIMARY KEY,
  name        text NOT NULL,
  sha256      text NOT NULL,
  applied_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  duration_ms int NOT NULL
))sql";

constexpr const char* kTableExists = "SELECT to_regclass('sealpost.migrations') IS NOT NULL";

constexpr const char* kApplied = R"sql(
SELECT version, name, sha256, (extract(epoch FROM applied_at) * 1000000)::bigint
FROM sealpost.migrations ORDER BY version)sql";

// now() is the start of the transaction, so the difference is what the file took.
constexpr const char* kRecord = R"sql(
INSERT INTO sealpost.migrations (version, name, sha256, duration_ms)
VALUES ($1, $2, $3, extract(epoch FROM clock_timestamp() - now()) * 1000))sql";

// No limit on time: building an index on a large table may take long, and an operator watches.
constexpr PgTransactionOptions kMigrating{.statement_timeout = std::chrono::milliseconds{0},
                                          .lock_timeout = std::chrono::milliseconds{0}};

std::string checksum(const Migration& migration) { return hex_encode(sha256(migration.sql)); }

std::string file_stem(int version, std::string_view name) {
  return fmt::format("{:04}_{}", version, name);
}

}  // namespace

Migrator::Migrator(DatabaseOptions options, std::vector<Migration> migrations)
    : session_(options), options_(std::move(options)), migrations_(std::move(migrations)) {}

ApplyResult Migrator::apply() {
  ApplyResult result;
  refuse_changed_files(applied());
  for (const Migration& migration : migrations_) {
    if (apply_one(migration))
      result.applied.push_back(file_stem(migration.version, migration.name));
  }
  result.partitions = PgMaintenance(options_).run(RetentionOptions{}).created;
  const std::vector<Applied> done = applied();
  if (!done.empty() && done.back().version > required_version()) {
    result.note = fmt::format(
        "the database has version {}, this binary knows {}: it was migrated by a newer one",
        done.back().version, required_version());
  }
  return result;
}

// The lock is taken before anything is looked at, and what was applied is read again under it.
bool Migrator::apply_one(const Migration& migration) {
  return session_.transaction(kMigrating, [&](PgTransaction& transaction) {
    transaction.run_script(fmt::format("SELECT pg_advisory_xact_lock({})", kMigrationLock));
    transaction.run_script(kCreateTable);
    const PgRows rows = transaction.run_once(kApplied);
    for (int i = 0; i < rows.size(); ++i) {
      if (rows.number(i, 0) == migration.version) return false;
    }
    transaction.run_script(std::string(migration.sql));
    transaction.run_once(
        kRecord,
        PgParameters().add(migration.version).add(migration.name).add(checksum(migration)));
    return true;
  });
}

std::vector<Migrator::Applied> Migrator::applied() {
  std::vector<Applied> done;
  if (!session_.query_once(kTableExists).flag(0, 0)) return done;
  const PgRows rows = session_.query_once(kApplied);
  for (int i = 0; i < rows.size(); ++i) {
    done.push_back(
        {static_cast<int>(rows.number(i, 0)), rows.text(i, 1), rows.text(i, 2), rows.time(i, 3)});
  }
  return done;
}

const Migration* Migrator::embedded(int version) const {
  for (const Migration& migration : migrations_) {
    if (migration.version == version) return &migration;
  }
  return nullptr;
}

void Migrator::refuse_changed_files(const std::vector<Applied>& done) const {
  for (const Applied& one : done) {
    const Migration* file = embedded(one.version);
    if (!file || checksum(*file) == one.sha256) continue;
    throw MigrationError(fmt::format(
        "migration {} was applied with checksum {}…, this binary has it with {}…. An applied "
        "migration "
        "never changes: use the binary that applied it, or put the change into a new migration",
        file_stem(one.version, one.name), one.sha256.substr(0, 12), checksum(*file).substr(0, 12)));
  }
}

std::vector<MigrationState> Migrator::status() {
  std::vector<MigrationState> states;
  const std::vector<Applied> done = applied();
  for (const Applied& one : done) {
    const Migration* file = embedded(one.version);
    states.push_back({.version = one.version,
                      .name = one.name,
                      .applied_at = one.applied_at,
                      .changed_since = file && checksum(*file) != one.sha256,
                      .unknown = !file});
  }
  const int newest = done.empty() ? 0 : done.back().version;
  for (const Migration& migration : migrations_) {
    if (migration.version <= newest) continue;
    states.push_back({.version = migration.version, .name = std::string(migration.name)});
  }
  return states;
}

std::string Migrator::plan() {
  std::string sql;
  for (const MigrationState& state : status()) {
    if (state.applied_at) continue;
    const Migration* file = embedded(state.version);
    sql += fmt::format("-- {}.sql\n\n{}\n", file_stem(state.version, state.name), file->sql);
  }
  return sql;
}

int Migrator::required_version() const {
  return migrations_.empty() ? 0 : migrations_.back().version;
}

SchemaCheck Migrator::check_schema() {
  const std::vector<Applied> done = applied();
  const int version = done.empty() ? 0 : done.back().version;
  if (version >= required_version()) return {.ok = true, .problem = ""};
  return {.ok = false,
          .problem =
              version == 0
                  ? "the database has no Sealpost schema: run `sealpost migrate`"
                  : fmt::format("the database's schema has version {}, this binary needs {}: run "
                                "`sealpost migrate`",
                                version, required_version())};
}

}  // namespace sealpost
