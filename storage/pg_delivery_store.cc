#include "storage/pg_delivery_store.h"

#include <map>
#include <unordered_map>

#include "storage/event_row.h"
#include "storage/pg_delivery_batches.h"
#include "storage/pg_statements.h"

namespace sealpost {
namespace {

// Index: delivery_rows_waiting, one lookup per endpoint with waiting rows. Locks nothing; what a
// second dispatcher claims meanwhile is found missing by claim().
constexpr PgStatement kDueEndpoints{
    "endpoints_with_due", "SELECT * FROM sealpost.endpoints_with_due($1::smallint[], $2)"};

}  // namespace

// $1 epoch, $2 endpoints, $3 how many of each, $4 how many in all
//
// An endpoint with room for a thousand may have one that waits. So the number in all is not divided
// beforehand: many endpoints are named, and the scan stops where it is reached.
//
// Indexes: delivery_rows_waiting in order of next_attempt_at, per endpoint; delivery_rows_ordered,
// for those that come next in an order; then the rows themselves by their place (ctid), which
// cannot change while we hold them; outbox's primary key. Locks: our dispatchers row FOR KEY SHARE
// (see intake), the rows claimed. A second dispatcher's claim skips locked rows, and after our
// commit they are not waiting any more.
//
// Order: a delivery comes next only if no earlier one of its endpoint and key is in delivery_rows.
// Its predecessor left in the commit that settled it, so whoever sees it as the next sees that.
const PgStatement kClaimStatement{"claim", R"sql(
WITH alive AS MATERIALIZED (
  SELECT epoch FROM sealpost.dispatchers WHERE epoch = $1 FOR KEY SHARE
), heads AS MATERIALIZED (
  SELECT d.ctid AS place, d.id, d.endpoint_id, d.event_id, d.generation, d.attempts, 0::bigint AS n
  FROM sealpost.delivery_rows d
  WHERE d.ctid = ANY (ARRAY(
      SELECT h.place FROM unnest($2::text[], $3::int[]) AS r(endpoint_id, at_most)
      CROSS JOIN LATERAL sealpost.ordered_heads(r.endpoint_id, r.at_most) AS h(place)
      WHERE EXISTS (SELECT FROM alive)
        AND EXISTS (SELECT FROM sealpost.delivery_rows o
                    WHERE o.endpoint_id = r.endpoint_id AND o.ordering_key IS NOT NULL OFFSET 0)
      LIMIT $4))
    AND d.lease_epoch IS NULL
  FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
  SELECT w.*, row_number() OVER () AS n FROM (
    SELECT d.* FROM unnest($2::text[], $3::int[]) AS r(endpoint_id, at_most)
    CROSS JOIN LATERAL (
      SELECT d.ctid AS place, d.id, d.endpoint_id, d.event_id, d.generation, d.attempts
      FROM sealpost.delivery_rows d
      WHERE d.lease_epoch IS NULL AND d.ordering_key IS NULL AND d.endpoint_id = r.endpoint_id
        AND d.next_attempt_at <= now()
      ORDER BY d.next_attempt_at LIMIT r.at_most FOR UPDATE SKIP LOCKED) d
    WHERE EXISTS (SELECT FROM alive)
    LIMIT $4::int - (SELECT count(*) FROM heads)) w
), claimed AS MATERIALIZED (
  SELECT * FROM due UNION ALL SELECT * FROM heads
), leased AS (
  UPDATE sealpost.delivery_rows SET lease_epoch = $1 WHERE ctid = ANY (ARRAY(SELECT place FROM claimed))
)
SELECT d.id, d.endpoint_id, d.event_id, d.generation, d.attempts, e.version, o.*
FROM (SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY n) = 1 AS is_first FROM claimed) d
CROSS JOIN LATERAL (
  SELECT e.version FROM sealpost.endpoints e WHERE e.id = d.endpoint_id OFFSET 0) e
LEFT JOIN LATERAL (
  SELECT o.id, o.tenant, o.type, o.payload::text, o.payload_bytes, o.content_type, o.ordering_key,
         (extract(epoch FROM o.created_at) * 1000000)::bigint
  FROM sealpost.outbox o WHERE o.id = d.event_id AND d.is_first OFFSET 0) o ON true
ORDER BY d.n)sql"};

// The last three go by primary key and name the lease they end. Rows are locked in order of id, as
// everywhere, so that two statements never wait for each other. A row that was taken over meanwhile
// has another lease_epoch when it is looked at again after the wait, and is left alone.

// $1 epoch, $2 deliveries
const PgStatement kReleaseStatement{"release", R"sql(
UPDATE sealpost.delivery_rows SET lease_epoch = NULL WHERE id = ANY ($2::text[]) AND lease_epoch = $1)sql"};

// $1 epoch, $2 deliveries
const PgStatement kSkipStatement{"skip", R"sql(
WITH gone AS (
  DELETE FROM sealpost.delivery_rows WHERE id = ANY ($2::text[]) AND lease_epoch = $1 RETURNING *
)
INSERT INTO sealpost.delivery_history
  (id, seq, event_id, endpoint_id, state, generation, attempts, last_status_code, created_at, finished_at)
SELECT id, seq, event_id, endpoint_id, 'skipped', generation, attempts, last_status_code, created_at,
       clock_timestamp()
FROM gone)sql"};

// $1 epoch, $2 deliveries, $3 reason
const PgStatement kFailStatement{"fail", R"sql(
WITH gone AS (
  DELETE FROM sealpost.delivery_rows WHERE id = ANY ($2::text[]) AND lease_epoch = $1 RETURNING *
)
INSERT INTO sealpost.dead_letters
  (id, seq, event_id, endpoint_id, ordering_key, reason, generation, attempts, last_status_code, created_at,
   finished_at)
SELECT id, seq, event_id, endpoint_id, ordering_key, $3, generation, attempts, last_status_code, created_at,
       clock_timestamp()
FROM gone)sql"};

namespace {

// Nobody can end the epoch while we hold its row.
constexpr const char* kKeepEpoch =
    "SELECT epoch FROM sealpost.dispatchers WHERE epoch = $1 FOR KEY SHARE";

enum ClaimColumn { kId, kEndpoint, kEventId, kGeneration, kAttempts, kVersion, kEvent };

using Pointers = std::vector<const LeasedDelivery*>;

Pointers pointers_to(std::span<const LeasedDelivery> deliveries) {
  Pointers pointers;
  for (const LeasedDelivery& delivery : deliveries) pointers.push_back(&delivery);
  return pointers;
}

PgParameters epoch_and_ids(Epoch epoch, std::span<const LeasedDelivery* const> deliveries) {
  PgArray ids;
  for (const LeasedDelivery* delivery : deliveries) ids.add(delivery->id.text());
  return PgParameters().add(std::int64_t{epoch}).add(ids);
}

// The first row of each event carries it. An event that retention removed while an operator
// replayed its delivery leaves a delivery without payload; such ids go to `without_event`.
std::vector<LeasedDelivery> claimed_rows(const PgRows& rows, Epoch epoch, PgArray& without_event) {
  std::vector<LeasedDelivery> leased;
  std::unordered_map<std::string, std::shared_ptr<const Event>> events;
  for (int i = 0; i < rows.size(); ++i) {
    std::shared_ptr<const Event>& event = events[rows.text(i, kEventId)];
    if (!rows.is_null(i, kEvent))
      event = std::make_shared<const Event>(event_from_row(rows, i, kEvent));
    if (!event) {
      without_event.add(rows.text(i, kId));
      continue;
    }
    leased.push_back({.id = DeliveryId(rows.text(i, kId)),
                      .endpoint_id = EndpointId(rows.text(i, kEndpoint)),
                      .event = event,
                      .epoch = epoch,
                      .generation = static_cast<int>(rows.number(i, kGeneration)),
                      .attempts_made = static_cast<int>(rows.number(i, kAttempts)),
                      .endpoint_version = static_cast<int>(rows.number(i, kVersion))});
  }
  return leased;
}

}  // namespace

void fail_without_event(PgTransaction& transaction, Epoch epoch, const PgArray& deliveries) {
  if (deliveries.empty()) return;
  transaction.run(kFailStatement, PgParameters()
                                      .add(std::int64_t{epoch})
                                      .add(deliveries)
                                      .add(to_text(FailureReason::internal)));
}

PgDeliveryStore::PgDeliveryStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys,
                                 Random& random)
    : session_(std::move(options)), sealer_(std::move(keys), random) {}

std::vector<EndpointId> PgDeliveryStore::endpoints_with_due(std::span<const std::int16_t> buckets,
                                                            int limit) {
  PgArray array;
  for (const std::int16_t bucket : buckets) array.add(std::int64_t{bucket});
  const PgRows rows = session_.query(kDueEndpoints, PgParameters().add(array).add(limit));
  std::vector<EndpointId> endpoints;
  for (int i = 0; i < rows.size(); ++i) endpoints.emplace_back(rows.text(i, 0));
  return endpoints;
}

std::vector<LeasedDelivery> PgDeliveryStore::claim(Epoch epoch,
                                                   std::span<const ClaimRequest> requests,
                                                   int at_most) {
  PgArray endpoints;
  PgArray limits;
  for (const ClaimRequest& request : requests) {
    endpoints.add(request.endpoint_id.text());
    limits.add(request.limit);
  }
  const auto parameters =
      PgParameters().add(std::int64_t{epoch}).add(endpoints).add(limits).add(at_most);
  return session_.transaction(kHotTransaction, [&](PgTransaction& transaction) {
    const PgRows rows = transaction.run(kClaimStatement, parameters);
    PgArray without_event;
    std::vector<LeasedDelivery> leased = claimed_rows(rows, epoch, without_event);
    fail_without_event(transaction, epoch, without_event);
    return leased;
  });
}

// Takes deliveries away from this dispatcher with `work(transaction)`, which finds them in rows of
// their own.
template <class Work>
void PgDeliveryStore::end(std::span<const LeasedDelivery* const> deliveries, Work&& work) {
  LeavingMembers leaving;
  for (const LeasedDelivery* delivery : deliveries) leaving.add(*delivery);
  session_.transaction(kHotTransaction, [&](PgTransaction& transaction) {
    give_rows(transaction, deliveries);
    work(transaction);
    remove_emptied(transaction, leaving);
  });
  leaving.left();
}

void PgDeliveryStore::release(Epoch epoch, std::span<const LeasedDelivery> unsent) {
  const Pointers pointers = pointers_to(unsent);
  end(pointers, [&](PgTransaction& transaction) {
    transaction.run(kReleaseStatement, epoch_and_ids(epoch, pointers));
  });
}

void PgDeliveryStore::skip(Epoch epoch, std::span<const LeasedDelivery> deliveries) {
  const Pointers pointers = pointers_to(deliveries);
  end(pointers, [&](PgTransaction& transaction) {
    transaction.run(kSkipStatement, epoch_and_ids(epoch, pointers));
  });
}

void PgDeliveryStore::fail(Epoch epoch,
                           std::span<const std::pair<LeasedDelivery, FailureReason>> deliveries) {
  Pointers all;
  std::map<FailureReason, Pointers> by_reason;
  for (const auto& [delivery, reason] : deliveries) {
    all.push_back(&delivery);
    by_reason[reason].push_back(&delivery);
  }
  end(all, [&](PgTransaction& transaction) {
    for (const auto& [reason, pointers] : by_reason) {
      transaction.run(kFailStatement, epoch_and_ids(epoch, pointers).add(to_text(reason)));
    }
  });
}

void PgDeliveryStore::break_up_batches(Epoch epoch, std::chrono::seconds age) {
  session_.transaction({}, [&](PgTransaction& transaction) {
    if (transaction.run_once(kKeepEpoch, PgParameters().add(std::int64_t{epoch})).empty()) return;
    PgArray epochs;
    epochs.add(std::int64_t{epoch});
    sealpost::break_up_batches(transaction, epochs, age, false);
  });
}

}  // namespace sealpost
