// The table that a producer would write to if there were no Sealpost: columns, types and defaults
// of sealpost.outbox (ids are made by the same function) with a primary key. No partitions, no
// checks, no trigger.
#pragma once

#include "bench/database.h"

namespace sealpost {

// Makes public.plain_outbox. The database has Sealpost's schema.
inline void create_plain_outbox(Database& database) {
  database.run(
      "CREATE TABLE plain_outbox (LIKE sealpost.outbox INCLUDING DEFAULTS, PRIMARY KEY (id))");
}

}  // namespace sealpost
