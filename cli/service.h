// The composition of the long-running commands: joins stores, dispatcher and API, runs them until a
// signal, and takes them down in the right order.
#pragma once

#include "cli/config.h"

namespace sealpost {

struct ServiceParts {
  const char* name;         // of the command, in the log and in pg_stat_activity
  bool dispatcher = false;  // with the listener for health and metrics
  bool admin_api = false;
  bool owns_database =
      false;  // an embedded PostgreSQL is for this process alone, and migrated by it
};

// Returns when it was told to stop: the process's exit code. Throws std::exception when it cannot
// start.
int run_service(const Config& config, const ServiceParts& parts);

}  // namespace sealpost
