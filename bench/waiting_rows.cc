#include "bench/waiting_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace sealpost {
namespace {

// Small enough for a statement's intermediate rows to stay in memory, more or less.
constexpr std::int64_t kRowsPerStatement = 500'000;

// Replication's role switches triggers off, so the outbox does not fill intake.
constexpr auto kDeliveriesSql = R"sql(
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL work_mem = '512MB';
WITH events AS (
  INSERT INTO sealpost.outbox (tenant, type, payload)
  SELECT '{tenant}', 'bench.event_' || ({endpoint}), {payload} FROM generate_series({first}, {last}) n
  RETURNING id, type
), numbered AS (
  SELECT id, type, nextval(pg_get_serial_sequence('sealpost.intake', 'seq')) AS seq,
         {first} - 1 + row_number() OVER () AS n
  FROM events
)
INSERT INTO sealpost.delivery_rows
  (id, seq, event_id, endpoint_id, attempts, next_attempt_at, last_status_code, created_at)
SELECT 'dlv_' || sealpost.ulid_time(now()) || lpad(e.seq::text, 16, '0'), e.seq, e.id, p.endpoint_id,
       {attempts}, {due}, CASE WHEN {attempts} > 0 THEN 503 END, now()
FROM numbered e JOIN sealpost.endpoint_event_patterns p ON p.tenant = '{tenant}' AND p.pattern = e.type;
COMMIT)sql";

template <class Insert>
void in_portions(const NumberedEvents& events, Insert insert) {
  const std::int64_t end = events.first + events.count;
  for (auto first = events.first; first < end; first += kRowsPerStatement) {
    insert(first, std::min(first + kRowsPerStatement, end) - 1);
  }
}

}  // namespace

std::string endpoint_in_turn(int endpoints) { return fmt::format("n % {}", endpoints); }

void insert_events(Database& database, const NumberedEvents& events) {
  in_portions(events, [&](std::int64_t first, std::int64_t last) {
    database.run(
        fmt::format("INSERT INTO sealpost.outbox (tenant, type, payload) "
                    "SELECT '{}', 'bench.event_' || ({}), {} FROM generate_series({}, {}) n",
                    events.tenant, events.endpoint_sql, events.payload_sql, first, last));
  });
}

void insert_deliveries(Database& database, const NumberedEvents& events, const std::string& due_sql,
                       int attempts_before) {
  in_portions(events, [&](std::int64_t first, std::int64_t last) {
    database.run(fmt::format(kDeliveriesSql, fmt::arg("tenant", events.tenant),
                             fmt::arg("endpoint", events.endpoint_sql),
                             fmt::arg("payload", events.payload_sql), fmt::arg("first", first),
                             fmt::arg("last", last), fmt::arg("attempts", attempts_before),
                             fmt::arg("due", due_sql)));
  });
}

}  // namespace sealpost
