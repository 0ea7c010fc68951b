#include "storage/pg_delivery_batches.h"

namespace sealpost {

// $1 ids, $2 positions, $3 events, $4 endpoints, $5 epochs, $6 batches: one array per column
//
// Indexes: primary keys. Locks: the dispatchers rows of the epochs FOR KEY SHARE (see finish), the
// batches FOR KEY SHARE.
const PgStatement kGiveRowsStatement{"give_rows", R"sql(
WITH alive AS MATERIALIZED (
  SELECT epoch FROM sealpost.dispatchers WHERE epoch = ANY ($5::bigint[]) ORDER BY epoch FOR KEY SHARE
)
INSERT INTO sealpost.delivery_rows (id, seq, event_id, endpoint_id, next_attempt_at, lease_epoch, created_at)
SELECT r.id, r.seq, r.event_id, r.endpoint_id, b.created_at, r.epoch, b.created_at
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[])
  AS r(id, seq, event_id, endpoint_id, epoch, batch)
CROSS JOIN LATERAL (
  SELECT b.created_at FROM sealpost.delivery_batches b
  WHERE b.id = r.batch AND b.lease_epoch = r.epoch OFFSET 0 FOR KEY SHARE) b
WHERE r.epoch = ANY (ARRAY(SELECT epoch FROM alive))
  AND NOT EXISTS (SELECT FROM sealpost.delivery_rows d WHERE d.id = r.id OFFSET 0)
  AND NOT EXISTS (SELECT FROM sealpost.dead_letters l WHERE l.id = r.id OFFSET 0)
  AND NOT EXISTS (SELECT FROM sealpost.delivery_history h WHERE h.id = r.id OFFSET 0))sql"};

namespace {

// Without those that a living epoch has not picked up.
// A statement of its own before the next, which has to see what was committed while this waited.
constexpr const char* kLock = R"sql(
SELECT id FROM sealpost.delivery_batches
WHERE lease_epoch = ANY ($1::bigint[]) AND created_at <= now() - $2 * interval '1 second'
  AND NOT EXISTS (SELECT FROM sealpost.handovers h WHERE h.epoch = lease_epoch AND h.id = delivery_batches.id)
ORDER BY id FOR UPDATE)sql";

// $1 batches, $2 whether their epochs have ended
constexpr const char* kBreakUp = R"sql(
WITH gone AS (
  DELETE FROM sealpost.delivery_batches WHERE id = ANY ($1::text[])
)
INSERT INTO sealpost.delivery_rows (id, seq, event_id, endpoint_id, next_attempt_at, lease_epoch, created_at)
SELECT id, seq, event_id, endpoint_id, created_at, CASE WHEN NOT $2::boolean THEN lease_epoch END, created_at
FROM sealpost.batch_members WHERE batch_id = ANY ($1::text[]))sql";

constexpr const char* kRemove = "DELETE FROM sealpost.delivery_batches WHERE id = ANY ($1::text[])";

}  // namespace

void give_rows(PgTransaction& transaction, std::span<const LeasedDelivery* const> deliveries) {
  PgArray ids, positions, events, endpoints, epochs, batches;
  for (const LeasedDelivery* delivery : deliveries) {
    if (!delivery->batch) continue;
    ids.add(delivery->id.text());
    positions.add(delivery->position);
    events.add(delivery->event->id.text());
    endpoints.add(delivery->endpoint_id.text());
    epochs.add(std::int64_t{delivery->epoch});
    batches.add(delivery->batch->id);
  }
  if (ids.empty()) return;
  PgParameters parameters;
  for (const PgArray* column : {&ids, &positions, &events, &endpoints, &epochs, &batches}) {
    parameters.add(*column);
  }
  transaction.run(kGiveRowsStatement, parameters);
}

int break_up_batches(PgTransaction& transaction, const PgArray& epochs, std::chrono::seconds age,
                     bool ended) {
  const PgRows locked =
      transaction.run_once(kLock, PgParameters().add(epochs).add(std::int64_t{age.count()}));
  if (locked.empty()) return 0;
  PgArray batches;
  for (int i = 0; i < locked.size(); ++i) batches.add(locked.view(i, 0));
  return transaction.run_once(kBreakUp, PgParameters().add(batches).add(ended ? "true" : "false"))
      .affected();
}

PgArray LeavingMembers::emptied() const {
  PgArray ids;
  for (const auto& [batch, count] : counts_) {
    if (batch->open == count) ids.add(batch->id);
  }
  return ids;
}

void remove_emptied(PgTransaction& transaction, const LeavingMembers& leaving) {
  const PgArray emptied = leaving.emptied();
  if (!emptied.empty()) transaction.run_once(kRemove, PgParameters().add(emptied));
}

}  // namespace sealpost
