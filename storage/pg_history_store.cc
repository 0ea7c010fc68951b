#include "storage/pg_history_store.h"

#include <algorithm>

#include "storage/delivery_query.h"
#include "storage/event_row.h"
#include "storage/pg_response_payloads.h"

namespace sealpost {
namespace {

// Index: outbox's primary key, in one partition.
constexpr const char* kEvent = R"sql(
SELECT o.id, o.tenant, o.type, o.payload::text, o.payload_bytes, o.content_type, o.ordering_key,
       (extract(epoch FROM o.created_at) * 1000000)::bigint
FROM sealpost.outbox o WHERE o.id = $1 AND ($2::text IS NULL OR o.tenant = $2))sql";

// Index: outbox's primary key from the right, partition by partition. A tenant with few events
// among many of others reads far; there is no index on tenant, because every insert would pay for
// it.
constexpr const char* kEvents = R"sql(
SELECT o.id, o.tenant, o.type, o.payload::text, o.payload_bytes, o.content_type, o.ordering_key,
       (extract(epoch FROM o.created_at) * 1000000)::bigint
FROM sealpost.outbox o WHERE ($1::text IS NULL OR o.tenant = $1) AND ($2 = '' OR o.id < $2)
ORDER BY o.id DESC LIMIT $3)sql";

// Index: attempts_by_delivery, in one partition.
constexpr const char* kAttempts = R"sql(
SELECT generation, number, (extract(epoch FROM started_at) * 1000000)::bigint, duration_us, dns_us, connect_us,
       tls_us, first_byte_us, status_code, error, error_detail, remote_address, response_body,
       response_truncated, signature_key_ids, orphaned, receiver_error_code,
       response_decrypt_failed
FROM sealpost.attempts WHERE delivery_id = $1 ORDER BY generation, started_at, number)sql";

// What an operator may bring back, with its endpoint's status. Locks the dead letter or the record,
// so that of two replays one finds nothing; the endpoint, so that its status holds until commit;
// and the event, so that retention does not take it away meanwhile. At most one of the two branches
// has a row.
constexpr const char* kLockDeadLetter = R"sql(
SELECT e.status FROM sealpost.dead_letters d JOIN sealpost.endpoints e ON e.id = d.endpoint_id
WHERE d.id = $1 AND ($2::text IS NULL OR e.tenant = $2) FOR UPDATE OF d FOR SHARE OF e)sql";
constexpr const char* kLockSkipped = R"sql(
SELECT e.status FROM sealpost.delivery_history d JOIN sealpost.endpoints e ON e.id = d.endpoint_id
  JOIN sealpost.outbox o ON o.id = d.event_id
WHERE d.id = $1 AND d.state = 'skipped' AND ($2::text IS NULL OR e.tenant = $2)
FOR UPDATE OF d FOR SHARE OF e FOR KEY SHARE OF o)sql";

constexpr const char* kReplayDeadLetter = R"sql(
WITH gone AS (DELETE FROM sealpost.dead_letters WHERE id = $1 RETURNING *)
INSERT INTO sealpost.delivery_rows (id, seq, event_id, endpoint_id, ordering_key, generation, next_attempt_at,
                                 last_status_code, created_at)
SELECT id, seq, event_id, endpoint_id, ordering_key, generation + 1, clock_timestamp(), last_status_code,
       created_at
FROM gone)sql";
constexpr const char* kReplaySkipped = R"sql(
WITH gone AS (DELETE FROM sealpost.delivery_history WHERE id = $1 AND state = 'skipped' RETURNING *)
INSERT INTO sealpost.delivery_rows (id, seq, event_id, endpoint_id, ordering_key, generation, next_attempt_at,
                                 last_status_code, created_at)
SELECT g.id, g.seq, g.event_id, g.endpoint_id, o.ordering_key, g.generation + 1, clock_timestamp(),
       g.last_status_code, g.created_at
FROM gone g JOIN sealpost.outbox o ON o.id = g.event_id)sql";

constexpr const char* kDiscard = R"sql(
WITH gone AS (
  DELETE FROM sealpost.dead_letters d USING sealpost.endpoints e
  WHERE d.id = $1 AND e.id = d.endpoint_id AND ($2::text IS NULL OR e.tenant = $2) RETURNING d.*
)
INSERT INTO sealpost.delivery_history
  (id, seq, event_id, endpoint_id, state, generation, attempts, last_status_code, created_at, finished_at)
SELECT id, seq, event_id, endpoint_id, 'canceled', generation, attempts, last_status_code, created_at,
       clock_timestamp()
FROM gone)sql";

std::chrono::microseconds phase(const PgRows& rows, int row, int column) {
  return std::chrono::microseconds(rows.optional_number(row, column).value_or(0));
}

AttemptRecord attempt_from_row(const PgRows& rows, int i) {
  AttemptRecord record;
  record.generation = static_cast<int>(rows.number(i, 0));
  record.number = static_cast<int>(rows.number(i, 1));
  record.started_at = rows.time(i, 2);
  record.signature_key_ids = rows.optional_text(i, 14).value_or("");
  record.orphaned = rows.flag(i, 15);
  AttemptOutcome& outcome = record.outcome;
  outcome.duration = phase(rows, i, 3);
  outcome.phases = {.dns = phase(rows, i, 4),
                    .connect = phase(rows, i, 5),
                    .tls = phase(rows, i, 6),
                    .first_byte = phase(rows, i, 7)};
  outcome.status_code = rows.optional_number(i, 8);
  if (!rows.is_null(i, 9)) outcome.error = attempt_error_from_text(rows.view(i, 9));
  outcome.error_detail = rows.optional_text(i, 10).value_or("");
  outcome.remote_address = rows.optional_text(i, 11).value_or("");
  if (!rows.is_null(i, 12)) outcome.response_body = rows.bytes(i, 12);
  outcome.response_truncated = rows.flag(i, 13);
  if (!rows.is_null(i, 16)) {
    outcome.receiver_error_code = receiver_error_code_from_text(rows.view(i, 16));
  }
  if (!rows.is_null(i, 17)) {
    outcome.response_decrypt_failed = response_problem_from_text(rows.view(i, 17));
  }
  return record;
}

// One row more than the page was asked for, and only then, there is another page.
template <class Item, class Read>
Page<Item> page_of(const PgRows& rows, int limit, Read&& read) {
  Page<Item> page;
  for (int i = 0; i < std::min(rows.size(), limit); ++i) page.items.push_back(read(rows, i));
  if (rows.size() > limit) page.next_cursor = page.items.back().id.text();
  return page;
}

}  // namespace

PgHistoryStore::PgHistoryStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys,
                               Random& random)
    : session_(std::move(options)), sealer_(std::move(keys), random) {}

std::optional<Event> PgHistoryStore::event(const std::optional<std::string>& tenant,
                                           const EventId& id) {
  const PgRows rows = session_.query_once(kEvent, PgParameters().add(id.text()).add(tenant));
  if (rows.empty()) return std::nullopt;
  return event_from_row(rows, 0, 0);
}

Page<Event> PgHistoryStore::events(const std::optional<std::string>& tenant,
                                   const PageRequest& page) {
  const PgRows rows =
      session_.query_once(kEvents, PgParameters().add(tenant).add(page.cursor).add(page.limit + 1));
  return page_of<Event>(rows, page.limit,
                        [](const PgRows& all, int i) { return event_from_row(all, i, 0); });
}

std::optional<DeliveryRecord> PgHistoryStore::delivery(const std::optional<std::string>& tenant,
                                                       const DeliveryId& id) {
  const DeliveryQuery query = one_delivery_query(tenant, id);
  const PgRows rows = session_.query_once(query.sql, query.parameters);
  if (rows.empty()) return std::nullopt;
  return delivery_from_row(rows, 0);
}

Page<DeliveryRecord> PgHistoryStore::deliveries(const std::optional<std::string>& tenant,
                                                const DeliveryFilter& filter,
                                                const PageRequest& page) {
  const DeliveryQuery query = list_deliveries_query(tenant, filter, page.cursor, page.limit + 1);
  const PgRows rows = session_.query_once(query.sql, query.parameters);
  return page_of<DeliveryRecord>(rows, page.limit, delivery_from_row);
}

std::optional<ResponsePayload> PgHistoryStore::response_payload(
    const std::optional<std::string>& tenant, const DeliveryId& id) {
  return load_response_payload(session_, sealer_, tenant, id);
}

std::vector<AttemptRecord> PgHistoryStore::attempts(const DeliveryId& id) {
  const PgRows rows = session_.query_once(kAttempts, PgParameters().add(id.text()));
  std::vector<AttemptRecord> records;
  for (int i = 0; i < rows.size(); ++i) records.push_back(attempt_from_row(rows, i));
  return records;
}

ReplayResult PgHistoryStore::replay(const std::optional<std::string>& tenant,
                                    const DeliveryId& id) {
  const auto which = PgParameters().add(id.text()).add(tenant);
  return session_.transaction({}, [&](PgTransaction& transaction) {
    PgRows found = transaction.run_once(kLockDeadLetter, which);
    const bool skipped = found.empty();
    if (skipped) found = transaction.run_once(kLockSkipped, which);
    if (found.empty()) return ReplayResult::not_found;
    const auto status = endpoint_status_from_text(found.view(0, 0));
    if (status == EndpointStatus::disabled) return ReplayResult::endpoint_disabled;
    if (status == EndpointStatus::deleted) return ReplayResult::endpoint_deleted;
    transaction.run_once(skipped ? kReplaySkipped : kReplayDeadLetter,
                         PgParameters().add(id.text()));
    return ReplayResult::replayed;
  });
}

bool PgHistoryStore::discard_dead_letter(const std::optional<std::string>& tenant,
                                         const DeliveryId& id) {
  return session_.transaction({}, [&](PgTransaction& transaction) {
    return transaction.run_once(kDiscard, PgParameters().add(id.text()).add(tenant)).affected() ==
           1;
  });
}

}  // namespace sealpost
