// A PgBouncer in transaction mode in front of a PostgresCluster: every transaction of a client gets
// whichever server connection is free. Its configuration and its Unix socket live in a directory of
// their own; it listens nowhere else.
//
// It hands server connections out in turn, so that a client that expects to meet the same one again
// is soon disappointed.
//
// Threads: as tests/support/running_program.h. Errors: std::runtime_error with its log, also if
// PgBouncer is not installed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/running_program.h"

namespace sealpost {

class PgBouncer {
 public:
  // In front of the cluster with that database, with at most `server_connections` to it.
  PgBouncer(const std::string& database_url, int server_connections);
  ~PgBouncer();
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  // The same database, by way of the pooler.
  const std::string& url() const { return url_; }
  // How many connections clients have made so far.
  int connections_made() const;

 private:
  std::filesystem::path directory_;
  std::string url_;
  std::optional<RunningProgram> program_;
};

}  // namespace sealpost
