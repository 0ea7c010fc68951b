// Fan-out: from events in intake to deliveries.
#include <algorithm>

#include "storage/advisory_locks.h"
#include "storage/fan_out.h"
#include "storage/pg_delivery_store.h"
#include "storage/pg_statements.h"

namespace sealpost {
namespace {

// Read primary keys; lock nothing.
constexpr PgStatement kProbe{
    "work_waits", "SELECT first_event, handed_over FROM sealpost.work_waits($1, $2, $3, $4, $5)"};
constexpr PgStatement kLook{"look_out_of_turn",
                            "SELECT highest, waits FROM sealpost.look_out_of_turn($1, $2)"};

}  // namespace

// $1 epoch, $2 from position, $3 events in turn, $4 buckets, $5 room per endpoint, $6 and $7
// endpoints with another room, $8 leases, $9 newest events, $10 whose each bucket is (empty if
// there is no other dispatcher), $11 what may wait for one of the others
//
// A million events of one tenant may stand before everybody else's. Whoever came after them is
// found at the other end of the same index: an index by tenant would cost every producer, and
// all the time.
//
// Indexes: intake_pkey from the low-water mark on; endpoint_event_patterns_pkey once per distinct
// (tenant, type) of the batch; outbox's primary key, in the one partition that run-time pruning
// leaves per id. Locks: our row in dispatchers FOR KEY SHARE, which whoever ends our epoch must
// wait for (it deletes the row); heartbeats are not disturbed. The intake rows, which nobody else
// touches, because the advisory lock of the transaction lets one dispatcher in at a time. A second
// dispatcher finds the advisory lock taken and comes back later; it sees the deliveries when the
// transaction has committed, and none of them unleased in between.
//
// Whether deliveries can be leased is decided for an endpoint's whole share of the batch, from
// counts per (tenant, type): if all of it fits, as it nearly always does, no row has to be sorted
// or ranked (measured: 1.5 us less per delivery). Only shares that do not fit are ranked row by
// row.
//
// Endpoints with ordering get theirs by claims only (ordered_heads()).
//
// What is for an endpoint that another dispatcher serves is leased to that one, as a batch of its
// own, and told to it in `handovers`: one row for all of it. Whatever cannot be leased is told
// there, too. Its row in dispatchers is locked like ours. What it has not picked up in a minute is
// not counted, so that the count does not pass dead rows of the last hours.
//
// The payload is fetched last, for the first row of each event that is leased to us only, so that
// it is neither sorted nor sent more than once. The ids of a batch rise in commit order.
//
// What hardly ever happens (deliveries that cannot be leased) is counted once, in `counted`; else
// each CTE about it would read all of `born`.
const PgStatement kIntakeStatement{"intake", R"sql(
WITH alive AS MATERIALIZED (
  SELECT epoch FROM sealpost.dispatchers WHERE epoch = $1 FOR KEY SHARE
), others AS MATERIALIZED (
  SELECT d.epoch,
         'dlv_' || sealpost.ulid_time(now()) || upper(right(replace(gen_random_uuid()::text, '-', ''), 8)) AS id,
         $11::int - coalesce((
           SELECT sum(h.deliveries) FROM sealpost.handovers h
           WHERE h.epoch = d.epoch AND h.id > 'dlv_' || sealpost.ulid_time(now() - interval '1 minute')), 0) AS room
  FROM sealpost.dispatchers d WHERE d.epoch = ANY ($10::bigint[]) AND d.epoch <> $1 ORDER BY d.epoch FOR KEY SHARE
), in_turn AS MATERIALIZED (
  SELECT ctid AS place, seq FROM sealpost.intake WHERE seq >= $2 ORDER BY seq LIMIT $3
), out_of_turn AS (
  SELECT n.place FROM (
    SELECT n.*, count(*) OVER (PARTITION BY n.tenant) AS events
    FROM (SELECT ctid AS place, tenant FROM sealpost.intake WHERE seq >= $2 ORDER BY seq DESC LIMIT $9) n) n
  WHERE n.events <= $9::int / 8
    AND NOT EXISTS (SELECT FROM sealpost.endpoints e WHERE e.tenant = n.tenant AND e.ordering = 'fifo' OFFSET 0)
), taken AS MATERIALIZED (
  DELETE FROM sealpost.intake
  WHERE ctid = ANY (ARRAY(SELECT place FROM in_turn UNION ALL SELECT place FROM out_of_turn))
    AND EXISTS (SELECT FROM alive)
  RETURNING seq, event_id, tenant, type, ordering_key
), matched AS MATERIALIZED (
  -- For others' endpoints there is no false: what does not fit is not sorted out, it waits.
  SELECT m.*, CASE WHEN ours
      THEN sum(events) OVER (PARTITION BY endpoint_id) <= room AND sum(events) FILTER (WHERE ours) OVER () <= $8::int
      ELSE nullif(sum(events) OVER (PARTITION BY holder, room IS NULL) <= room, false) END AS fits
  FROM (
    SELECT k.tenant, k.type, k.events, e.id AS endpoint_id, e.version, e.status, e.ordering,
           e.status = 'enabled' AND e.bucket = ANY ($4::smallint[]) AS ours,
           CASE WHEN e.status <> 'enabled' THEN NULL
                WHEN e.bucket = ANY ($4::smallint[]) THEN $1 ELSE o.epoch END AS holder,
           CASE WHEN e.status <> 'enabled' OR e.ordering <> 'none' THEN NULL
                WHEN e.bucket = ANY ($4::smallint[]) THEN coalesce(r.room, $5::int)
                ELSE o.room END AS room  -- NULL: not to be leased now; then fits is NULL, too
    FROM (
      SELECT DISTINCT k.tenant, k.type, k.events, p.endpoint_id
      FROM (SELECT tenant, type, count(*) AS events FROM taken GROUP BY tenant, type) k
      CROSS JOIN LATERAL unnest(sealpost.matching_patterns(k.type)) AS wanted(pattern)
      CROSS JOIN LATERAL (
        SELECT p.endpoint_id FROM sealpost.endpoint_event_patterns p
        WHERE p.tenant = k.tenant AND p.pattern = wanted.pattern OFFSET 0) p
    ) k
    CROSS JOIN LATERAL (
      SELECT e.* FROM sealpost.endpoints e WHERE e.id = k.endpoint_id OFFSET 0) e
    LEFT JOIN unnest($6::text[], $7::int[]) AS r(endpoint_id, room) ON r.endpoint_id = e.id
    LEFT JOIN others o ON o.epoch = ($10::bigint[])[e.bucket + 1]
    WHERE e.status <> 'deleted') m
), fanned AS (
  SELECT t.seq, t.event_id, CASE WHEN m.ordering = 'fifo' THEN coalesce(t.ordering_key, '') END AS ordering_key,
         m.endpoint_id, m.version, m.status, m.holder, m.fits IS NOT NULL AS leased
  FROM taken t JOIN matched m ON m.tenant = t.tenant AND m.type = t.type
  WHERE m.fits IS NOT FALSE
  UNION ALL
  SELECT seq, event_id, NULL, endpoint_id, version, status, $1,
         in_endpoint <= room AND count(*) FILTER (WHERE in_endpoint <= room)
           OVER (ORDER BY seq, endpoint_id ROWS UNBOUNDED PRECEDING) <= $8::int
  FROM (
    SELECT t.seq, t.event_id, m.endpoint_id, m.version, m.status, m.room,
           row_number() OVER (PARTITION BY m.endpoint_id ORDER BY t.seq) AS in_endpoint
    FROM taken t JOIN matched m ON m.tenant = t.tenant AND m.type = t.type
    WHERE m.fits IS FALSE) ranked
), batch AS MATERIALIZED (
  -- Ids are ULIDs whose random half rises: eight random characters for the batch, then a number.
  SELECT 'dlv_' || sealpost.ulid_time(now()) || upper(right(replace(gen_random_uuid()::text, '-', ''), 8)) AS id
), born AS MATERIALIZED (
  SELECT *, CASE WHEN leased AND holder <> $1 THEN (SELECT o.id FROM others o WHERE o.epoch = holder)
                 ELSE (SELECT id FROM batch) END || number AS id
  FROM (SELECT *, 10000000 + row_number() OVER w::int AS number, lag(seq) OVER w IS DISTINCT FROM seq AS is_first
        FROM fanned WINDOW w AS (ORDER BY seq, NOT (leased AND holder = $1))) numbered
), counted AS MATERIALIZED (
  SELECT count(*) AS born, count(*) FILTER (WHERE NOT leased) AS unleased FROM born
), waiting AS (
  INSERT INTO sealpost.delivery_rows (id, seq, event_id, endpoint_id, ordering_key, next_attempt_at, created_at)
  SELECT id, seq, event_id, endpoint_id, ordering_key, now(), now()
  FROM born WHERE status <> 'disabled' AND NOT leased AND (SELECT unleased FROM counted) > 0
), batched AS (
  INSERT INTO sealpost.delivery_batches (id, lease_epoch, created_at, numbers, seqs, event_ids, endpoint_ids)
  SELECT CASE WHEN holder = $1 THEN (SELECT id FROM batch) ELSE (SELECT o.id FROM others o WHERE o.epoch = holder) END,
         holder, now(), array_agg(number), array_agg(seq), array_agg(event_id), array_agg(endpoint_id)
  FROM born WHERE leased GROUP BY holder
), told AS (
  INSERT INTO sealpost.handovers (epoch, id, deliveries, waiting_endpoint_ids)
  SELECT o.epoch, o.id, count(*) FILTER (WHERE b.leased),
         (array_agg(DISTINCT b.endpoint_id) FILTER (WHERE NOT b.leased))[1:1000]
  FROM others o JOIN born b ON b.holder = o.epoch GROUP BY o.epoch, o.id
), skipped AS (
  INSERT INTO sealpost.delivery_history
    (id, seq, event_id, endpoint_id, state, generation, attempts, created_at, finished_at)
  SELECT id, seq, event_id, endpoint_id, 'skipped', 1, 0, now(), now()
  FROM born WHERE status = 'disabled' AND (SELECT unleased FROM counted) > 0
)
SELECT (SELECT coalesce(max(seq), 0) FROM in_turn), (SELECT count(*) FROM taken)::text,
       (SELECT born FROM counted)::int,
       (SELECT string_agg(DISTINCT endpoint_id, ',') FROM born
        WHERE holder = $1 AND NOT leased AND (SELECT unleased FROM counted) > 0),
       (SELECT count(*) FROM in_turn)::text AS event_id,
       NULL AS tenant, NULL AS type, NULL AS payload, NULL::bytea AS payload_bytes, NULL AS content_type,
       NULL AS ordering_key, NULL::bigint AS created_at
UNION ALL
SELECT l.seq, l.id, l.version, l.endpoint_id, l.event_id, o.*
FROM born l
LEFT JOIN LATERAL (
  SELECT o.tenant, o.type, o.payload::text, o.payload_bytes, o.content_type, o.ordering_key,
         (date_part('epoch', o.created_at) * 1000000)::bigint
  FROM sealpost.outbox o WHERE o.id = l.event_id AND l.is_first OFFSET 0) o ON true
WHERE l.leased AND l.holder = $1)sql"};

namespace {

PgParameters intake_parameters(const IntakeRequest& request, int newest) {
  PgArray buckets;
  for (const std::int16_t bucket : request.buckets) buckets.add(std::int64_t{bucket});
  PgArray endpoints;
  PgArray rooms;
  for (const EndpointRoom& room : request.rooms) {
    endpoints.add(room.endpoint_id.text());
    rooms.add(room.room);
  }
  PgArray owners;
  for (const Epoch owner : request.owners) owners.add(std::int64_t{owner});
  return PgParameters()
      .add(std::int64_t{request.epoch})
      .add(request.from_position)
      .add(request.max_events)
      .add(buckets)
      .add(request.room_per_endpoint)
      .add(endpoints)
      .add(rooms)
      .add(request.max_leased)
      .add(newest)
      .add(owners)
      .add(request.max_handed_over);
}

}  // namespace

// How many of the newest events a statement for them alone is to look at: 0 if it would find
// nobody.
int PgDeliveryStore::look_out_of_turn(const IntakeRequest& request, IntakeResult& result) {
  if (request.newest == 0) return 0;
  const PgRows rows =
      session_.query(kLook, PgParameters().add(request.newest_from).add(request.newest));
  result.newest_position = rows.number(0, 0);
  return rows.flag(0, 1) ? request.newest : 0;
}

PgDeliveryStore::Waiting PgDeliveryStore::what_waits(const IntakeRequest& request,
                                                     IntakeResult& result) {
  if (request.max_events == 0 && request.max_picked_up == 0) return {};
  // A full sweep once in a while, for handovers that were committed in another order.
  if (request.from_position == 0) handovers_after_ = last_handover_;
  const bool asks_events = request.max_events > 0;
  const PgRows rows = session_.query(
      kProbe, PgParameters()
                  .add(asks_events ? std::optional(request.from_position) : std::nullopt)
                  .add(seen_to_)
                  .add(std::int64_t{request.epoch})
                  .add(request.from_position == 0 ? std::string() : handovers_after_)
                  .add(request.largest_picked_up));
  const bool events = !rows.is_null(0, 0);
  if (events) seen_to_ = std::max(seen_to_, rows.number(0, 0) - 1);
  result.last_position = seen_to_;
  return {.events = events, .handed_over = request.max_picked_up > 0 && rows.flag(0, 1)};
}

// What is picked up goes back at once, before another statement could fail.
IntakeResult PgDeliveryStore::intake(const IntakeRequest& request) {
  IntakeResult result;
  const Waiting waiting = what_waits(request, result);
  if (waiting.handed_over) {
    pick_up(request, result);
    return result;
  }
  // A statement that runs anyway finds them sooner than a question does.
  const int newest = waiting.events ? request.newest : look_out_of_turn(request, result);
  if (newest > 0 || waiting.events) take_in(request, newest, result);
  return result;
}

void PgDeliveryStore::take_in(const IntakeRequest& request, int newest, IntakeResult& result) {
  PgTransactionOptions options = kHotTransaction;
  options.try_lock = kIntakeLock;
  FanOut fan_out(request.epoch);
  session_.transaction(options, [&](PgTransaction& transaction) {
    result.busy = !transaction.locked();
    if (result.busy) return;
    const PgRows rows = transaction.run(kIntakeStatement, intake_parameters(request, newest));
    result.events = static_cast<int>(rows.number(0, FanOut::kEvents));
    if (result.events == 0) return;
    result.in_turn = static_cast<int>(rows.number(0, FanOut::kInTurn));
    result.last_position = rows.number(0, FanOut::kLastPosition);
    seen_to_ = std::max(seen_to_, result.last_position);
    result.deliveries = static_cast<int>(rows.number(0, FanOut::kDeliveries));
    result.overflowed = FanOut::split_ids(rows.view(0, FanOut::kOverflowed));
    result.leased = fan_out.read(transaction, rows);
  });
  fan_out.committed();
}

}  // namespace sealpost
