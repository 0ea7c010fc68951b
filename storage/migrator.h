// Brings a database's schema to the version that this binary was built with, and tells whether it
// is.
//
// The table sealpost.migrations records what was applied: version, name, SHA-256 of the file, when,
// and how long it took. It stands in the schema that the migrations fill (both are made here if
// missing), so that dropping the schema removes everything and migrating again starts from nothing.
//
// Forward only: there are no down migrations, and a file that was applied may not change. A
// database that is newer than the binary is fine to serve from, because migrations stay compatible
// with the binary of one version before.
//
// Threads: an instance belongs to one thread. Errors: StorageError; MigrationError for what an
// operator must settle.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/storage_error.h"
#include "storage/migrations.h"
#include "storage/pg_session.h"

namespace sealpost {

// One sentence with the remedy.
class MigrationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct MigrationState {
  int version = 0;
  std::string name;
  std::optional<WallTime> applied_at{};  // nullopt: pending
  bool changed_since = false;            // applied, but the embedded file has another checksum
  bool unknown = false;                  // applied by a newer binary
};

struct ApplyResult {
  std::vector<std::string> applied;     // "0001_outbox_and_deliveries"
  std::vector<std::string> partitions;  // made for today and the days ahead
  std::string note;                     // when the database is newer than this binary; else empty
};

struct SchemaCheck {
  bool ok = false;
  std::string problem;  // with the remedy; empty if ok
};

class Migrator {
 public:
  explicit Migrator(DatabaseOptions options,
                    std::vector<Migration> migrations = embedded_migrations());

  // Every migration, embedded or applied, by version.
  std::vector<MigrationState> status();

  // The SQL that apply() would run; empty if there is nothing to do.
  std::string plan();

  // Applies what is pending, each file in a transaction of its own, then makes the partitions of
  // today and the days ahead. Several at once wait for one another. Throws MigrationError if an
  // applied file has changed.
  ApplyResult apply();

  // The version that this binary needs.
  int required_version() const;

  // Whether this binary can work with the database as it is.
  SchemaCheck check_schema();

 private:
  struct Applied {
    int version = 0;
    std::string name;
    std::string sha256;
    WallTime applied_at;
  };
  std::vector<Applied> applied();
  bool apply_one(const Migration& migration);
  const Migration* embedded(int version) const;
  void refuse_changed_files(const std::vector<Applied>& done) const;

  PgSession session_;
  DatabaseOptions options_;
  std::vector<Migration> migrations_;
};

}  // namespace sealpost
