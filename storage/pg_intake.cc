// Fan-out: from events in intake to deliveries.
#include <unordered_map>

#include "storage/advisory_locks.h"
#include "storage/event_row.h"
#include "storage/pg_delivery_store.h"
#include "storage/pg_statements.h"

namespace sealpost {
namespace {

// Reads intake's primary key; locks nothing.
constexpr PgStatement kProbe{"intake_waits", "SELECT sealpost.intake_waits($1)"};

}  // namespace

// $1 epoch, $2 from position, $3 events, $4 buckets, $5 room per endpoint, $6 and $7 endpoints with
// another room, $8 leases
//
// Indexes: intake_pkey from the low-water mark on; outbox's primary key, in the one partition that
// run-time pruning leaves per id; endpoint_event_patterns_pkey once per distinct (tenant, type) of
// the batch. Locks: our row in dispatchers FOR KEY SHARE, which whoever ends our epoch must wait
// for (it deletes the row); heartbeats are not disturbed. The intake rows, which nobody else
// touches, because the advisory lock of the transaction lets one dispatcher in at a time. A second
// dispatcher finds the advisory lock taken and comes back later; it sees the deliveries when the
// transaction has committed, and none of them unleased in between.
//
// The payload is fetched last, for the first row of each event only, so that it is neither sorted
// nor sent more than once.
const PgStatement kIntakeStatement{"intake", R"sql(
WITH alive AS MATERIALIZED (
  SELECT epoch FROM sealpost.dispatchers WHERE epoch = $1 FOR KEY SHARE
), taken AS MATERIALIZED (
  DELETE FROM sealpost.intake
  WHERE ctid = ANY (ARRAY(SELECT ctid FROM sealpost.intake WHERE seq >= $2 ORDER BY seq LIMIT $3))
    AND EXISTS (SELECT FROM alive)
  RETURNING seq, event_id
), events AS MATERIALIZED (
  SELECT t.seq, o.*
  FROM taken t CROSS JOIN LATERAL (
    SELECT o.id, o.tenant, o.type, o.ordering_key FROM sealpost.outbox o WHERE o.id = t.event_id OFFSET 0) o
), matched AS MATERIALIZED (
  SELECT k.tenant, k.type, e.id AS endpoint_id, e.version, e.status,
         CASE WHEN e.status = 'enabled' AND e.bucket = ANY ($4::smallint[])
              THEN coalesce(r.room, $5::int) END AS room  -- NULL: not ours to lease
  FROM (
    SELECT DISTINCT k.tenant, k.type, p.endpoint_id
    FROM (SELECT DISTINCT tenant, type FROM events) k
    CROSS JOIN LATERAL unnest(sealpost.matching_patterns(k.type)) AS wanted(pattern)
    CROSS JOIN LATERAL (
      SELECT p.endpoint_id FROM sealpost.endpoint_event_patterns p
      WHERE p.tenant = k.tenant AND p.pattern = wanted.pattern OFFSET 0) p
  ) k
  CROSS JOIN LATERAL (
    SELECT e.* FROM sealpost.endpoints e WHERE e.id = k.endpoint_id OFFSET 0) e
  LEFT JOIN unnest($6::text[], $7::int[]) AS r(endpoint_id, room) ON r.endpoint_id = e.id
  WHERE e.status <> 'deleted'
), fanned AS (
  SELECT v.seq, v.id AS event_id, v.ordering_key, m.endpoint_id, m.version, m.status, m.room,
         row_number() OVER (PARTITION BY m.endpoint_id ORDER BY v.seq) AS in_endpoint
  FROM events v JOIN matched m ON m.tenant = v.tenant AND m.type = v.type
), ordered AS (
  SELECT *, row_number() OVER by_seq AS n,
         count(*) FILTER (WHERE in_endpoint <= room) OVER (by_seq ROWS UNBOUNDED PRECEDING) AS leases
  FROM fanned WINDOW by_seq AS (ORDER BY seq, endpoint_id)
), born AS MATERIALIZED (
  -- The id is a ULID whose random half rises: ten random characters for the batch, then its place in it.
  SELECT *, (SELECT 'dlv_' || sealpost.ulid_time(now())
                    || upper(right(replace(gen_random_uuid()::text, '-', ''), 10)))
            || lpad(upper(to_hex(n)), 6, '0') AS id,
         CASE WHEN in_endpoint <= room AND leases <= $8::int THEN $1 END AS lease_epoch
  FROM ordered
), inserted AS (
  INSERT INTO sealpost.deliveries
    (id, seq, event_id, endpoint_id, ordering_key, next_attempt_at, lease_epoch, created_at)
  SELECT id, seq, event_id, endpoint_id, ordering_key, now(), lease_epoch, now()
  FROM born WHERE status <> 'disabled'
), skipped AS (
  INSERT INTO sealpost.delivery_history
    (id, seq, event_id, endpoint_id, state, generation, attempts, created_at, finished_at)
  SELECT id, seq, event_id, endpoint_id, 'skipped', 1, 0, now(), now()
  FROM born WHERE status = 'disabled'
)
SELECT 0 AS n, (SELECT count(*) FROM taken)::text, (SELECT max(seq) FROM taken)::int8,
       (SELECT count(*) FROM born)::text,
       (SELECT string_agg(DISTINCT endpoint_id, ',') FROM born WHERE room IS NOT NULL AND lease_epoch IS NULL),
       NULL AS id, NULL AS tenant, NULL AS type, NULL AS payload, NULL::bytea AS payload_bytes,
       NULL AS content_type, NULL AS ordering_key, NULL::bigint AS created_at
UNION ALL
SELECT l.n, l.id, l.version, l.endpoint_id, l.event_id, o.*
FROM (SELECT n, id, version, endpoint_id, event_id, lag(seq) OVER (ORDER BY n) IS DISTINCT FROM seq AS is_first
      FROM born WHERE lease_epoch IS NOT NULL) l
LEFT JOIN LATERAL (
  SELECT o.id, o.tenant, o.type, o.payload::text, o.payload_bytes, o.content_type, o.ordering_key,
         (extract(epoch FROM o.created_at) * 1000000)::bigint
  FROM sealpost.outbox o WHERE o.id = l.event_id AND l.is_first OFFSET 0) o ON true
ORDER BY n)sql"};

namespace {

// Columns of the statement's first row, and of the others.
enum SummaryColumn { kEvents = 1, kLastPosition = 2, kDeliveries = 3, kOverflowed = 4 };
enum LeasedColumn { kId = 1, kVersion = 2, kEndpoint = 3, kEventId = 4, kEvent = 5 };

PgParameters intake_parameters(const IntakeRequest& request) {
  PgArray buckets;
  for (const std::int16_t bucket : request.buckets) buckets.add(std::int64_t{bucket});
  PgArray endpoints;
  PgArray rooms;
  for (const EndpointRoom& room : request.rooms) {
    endpoints.add(room.endpoint_id.text());
    rooms.add(room.room);
  }
  return PgParameters()
      .add(std::int64_t{request.epoch})
      .add(request.from_position)
      .add(request.max_events)
      .add(buckets)
      .add(request.room_per_endpoint)
      .add(endpoints)
      .add(rooms)
      .add(request.max_leased);
}

std::vector<EndpointId> split_ids(std::string_view list) {
  std::vector<EndpointId> ids;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    ids.emplace_back(std::string(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return ids;
}

// Rows of one event follow one another; the first carries it.
std::vector<LeasedDelivery> leased_rows(const PgRows& rows, Epoch epoch) {
  std::vector<LeasedDelivery> leased;
  leased.reserve(rows.size() - 1);
  std::shared_ptr<const Event> event;
  for (int i = 1; i < rows.size(); ++i) {
    if (!rows.is_null(i, kEvent))
      event = std::make_shared<const Event>(event_from_row(rows, i, kEvent));
    leased.push_back({.id = DeliveryId(rows.text(i, kId)),
                      .endpoint_id = EndpointId(rows.text(i, kEndpoint)),
                      .event = event,
                      .epoch = epoch,
                      .endpoint_version = static_cast<int>(rows.number(i, kVersion))});
  }
  return leased;
}

}  // namespace

IntakeResult PgDeliveryStore::intake(const IntakeRequest& request) {
  IntakeResult result;
  if (!session_.query(kProbe, PgParameters().add(request.from_position)).flag(0, 0)) return result;
  PgTransactionOptions options = kHotTransaction;
  options.try_lock = kIntakeLock;
  session_.transaction(options, [&](PgTransaction& transaction) {
    result.busy = !transaction.locked();
    if (result.busy) return;
    const PgRows rows = transaction.run(kIntakeStatement, intake_parameters(request));
    result.events = static_cast<int>(rows.number(0, kEvents));
    if (result.events == 0) return;
    result.last_position = rows.number(0, kLastPosition);
    result.deliveries = static_cast<int>(rows.number(0, kDeliveries));
    result.overflowed = split_ids(rows.view(0, kOverflowed));
    result.leased = leased_rows(rows, request.epoch);
  });
  return result;
}

}  // namespace sealpost
