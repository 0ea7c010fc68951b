// The private PostgreSQL of a benchmark: tests/support/postgres_cluster.h with every durability
// setting at its default (fsync, synchronous_commit and full_page_writes on) and room to work in.
// Both sides of a comparison use the same server, each in databases of its own.
//
// Threads and errors: as PostgresCluster.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/postgres_cluster.h"

namespace sealpost {

class DurablePostgres final {
 public:
  // `settings` are more of them: "shared_preload_libraries = 'pg_stat_statements'".
  explicit DurablePostgres(const std::vector<std::string>& settings = {});

  // URLs of new databases: empty, or with Sealpost's schema.
  std::string create_empty_database() { return cluster_.create_empty_database(); }
  std::string create_migrated_database() { return cluster_.create_database(); }
  // All its connections must be closed, or about to be.
  void drop_database(const std::string& url);

  void checkpoint();

  pid_t pid() const { return pid_; }  // of the postmaster; the backends are its children

 private:
  PostgresCluster cluster_;
  std::string admin_url_;
  pid_t pid_ = 0;
};

}  // namespace sealpost
