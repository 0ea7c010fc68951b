// Rows as if an installation had worked for a long time, made by SQL at the speed of SQL.
//
// Threads: as Database. Errors: std::runtime_error.
#pragma once

#include <cstdint>
#include <string>

#include "bench/database.h"

namespace sealpost {

struct NumberedEvents {
  std::int64_t first = 1;  // the least n
  std::int64_t count = 0;
  std::string endpoint_sql;  // an expression over n; its value e makes the type "bench.event_e"
  std::string payload_sql;   // likewise
  std::string tenant = "default";
};

// An endpoint_sql: 0, 1, … below `endpoints`.
std::string endpoint_in_turn(int endpoints);

// As producers insert them: they wait in intake.
void insert_events(Database& database, const NumberedEvents& events);

// Events that were fanned out; their deliveries wait. `due_sql` is when, an expression over n.
// Attempts before: how many were made, each answered with 503.
void insert_deliveries(Database& database, const NumberedEvents& events, const std::string& due_sql,
                       int attempts_before);

}  // namespace sealpost
