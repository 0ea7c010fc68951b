// What other dispatchers fanned out for us.
#include <algorithm>

#include "storage/fan_out.h"
#include "storage/pg_delivery_store.h"
#include "storage/pg_statements.h"

namespace sealpost {

// $1 epoch, $2 after this handover, $3 deliveries (one handover more at most), $4 the largest
// handover
//
// The rows are ours already; this is how we hear of them. Small handovers first: what was taken out
// of turn must not wait behind a flood here, either. The first row names the last of those before
// which nothing waits any more.
// Indexes: primary keys; outbox's in the partition that run-time pruning leaves. Locks: our row in
// dispatchers FOR KEY SHARE, the handovers, which nobody else takes away while our epoch lives.
const PgStatement kPickUpStatement{"pick_up", R"sql(
WITH alive AS MATERIALIZED (
  SELECT epoch FROM sealpost.dispatchers WHERE epoch = $1 FOR KEY SHARE
), waits AS MATERIALIZED (
  SELECT id, sum(deliveries) OVER (ORDER BY deliveries > 64, id) - deliveries < $3::int AS is_next
  FROM (SELECT h.id, h.deliveries FROM sealpost.handovers h
        WHERE h.epoch = $1 AND h.id > $2 AND h.deliveries <= $4::int ORDER BY h.id LIMIT 500) h
), picked AS MATERIALIZED (
  DELETE FROM sealpost.handovers
  WHERE epoch = $1 AND id = ANY (ARRAY(SELECT id FROM waits WHERE is_next)) AND EXISTS (SELECT FROM alive)
  RETURNING id, waiting_endpoint_ids
), members AS MATERIALIZED (
  SELECT b.id || m.number AS id, m.seq, m.event_id, m.endpoint_id
  FROM picked p CROSS JOIN LATERAL (
    SELECT * FROM sealpost.delivery_batches b WHERE b.id = p.id AND b.lease_epoch = $1 OFFSET 0) b
  CROSS JOIN LATERAL unnest(b.numbers, b.seqs, b.event_ids, b.endpoint_ids) AS m(number, seq, event_id, endpoint_id)
), versions AS MATERIALIZED (
  SELECT e.id, e.version FROM (SELECT DISTINCT endpoint_id FROM members) m
  CROSS JOIN LATERAL (SELECT e.id, e.version FROM sealpost.endpoints e WHERE e.id = m.endpoint_id OFFSET 0) e
)
SELECT 0::bigint AS seq,
       (SELECT coalesce(max(p.id), '') FROM picked p
        WHERE p.id < coalesce((SELECT h.id FROM sealpost.handovers h
                               WHERE h.epoch = $1 AND h.id > $2 AND h.id NOT IN (SELECT picked.id FROM picked)
                               ORDER BY h.id LIMIT 1), '~')) AS id, 0 AS version,
       (SELECT string_agg(DISTINCT e, ',')
        FROM picked CROSS JOIN LATERAL unnest(waiting_endpoint_ids) AS e) AS endpoint_id,
       '' AS event_id,
       NULL AS tenant, NULL AS type, NULL AS payload, NULL::bytea AS payload_bytes, NULL AS content_type,
       NULL AS ordering_key, NULL::bigint AS created_at
UNION ALL
SELECT l.seq, l.id, l.version, l.endpoint_id, l.event_id, o.*
FROM (SELECT m.seq, m.id, v.version, m.endpoint_id, m.event_id,
             lag(m.seq) OVER (ORDER BY m.id) IS DISTINCT FROM m.seq AS is_first
      FROM members m JOIN versions v ON v.id = m.endpoint_id) l
LEFT JOIN LATERAL (
  SELECT o.tenant, o.type, o.payload::text, o.payload_bytes, o.content_type, o.ordering_key,
         (date_part('epoch', o.created_at) * 1000000)::bigint
  FROM sealpost.outbox o WHERE o.id = l.event_id AND l.is_first OFFSET 0) o ON true)sql"};

void PgDeliveryStore::pick_up(const IntakeRequest& request, IntakeResult& result) {
  FanOut fan_out(request.epoch);
  session_.transaction(kHotTransaction, [&](PgTransaction& transaction) {
    const PgRows rows = transaction.run(
        kPickUpStatement, PgParameters()
                              .add(std::int64_t{request.epoch})
                              .add(request.from_position == 0 ? std::string() : handovers_after_)
                              .add(request.max_picked_up)
                              .add(request.largest_picked_up));
    last_handover_ = std::max(last_handover_, rows.text(0, FanOut::kId));
    result.overflowed = FanOut::split_ids(rows.view(0, FanOut::kOverflowed));
    result.handed_over = fan_out.read(transaction, rows);
  });
  fan_out.committed();
}

}  // namespace sealpost
