// What happened to deliveries: attempts recorded, deliveries moved on.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "storage/pg_attempt_columns.h"
#include "storage/pg_delivery_batches.h"
#include "storage/pg_delivery_store.h"
#include "storage/pg_response_payloads.h"
#include "storage/pg_statements.h"

namespace sealpost {

// $1 … $22 one array per column (storage/pg_attempt_columns.h), $23 the epochs among them, $24 …
// $26 position, event and endpoint of members of delivery batches (else NULL), $27 where their
// batches stand in $28, $29 batches that will be empty, $30 whether this may have been done already
//
// What was delivered as a member of a delivery batch goes to the history with what this process
// knows about it. Every other delivery is taken out of delivery_rows and put where it goes: into
// the history, to the dead letters, or back as a waiting one. Putting back costs what an UPDATE
// would (lease_epoch is part of an index, so the row cannot be changed in place), and it spares a
// join whose order the planner may get wrong. The subquery on `gone` makes the deletes run first;
// else the primary key would refuse the row. What most batches have none of is counted once, in
// `counted`; else each CTE about it would read all of `held`.
//
// Indexes: primary keys of delivery_batches and delivery_rows, then the rows by their place (ctid).
// Locks: the dispatchers rows of the epochs FOR KEY SHARE. While we hold them nobody can end these
// epochs, and so nobody but this process can change the rows leased to them: they need no lock of
// their own before they are deleted. Whoever waits to end the epoch sees the rows gone. The batches
// FOR KEY SHARE (see pg_delivery_batches.h). An attempt whose lease, generation or number is not
// the stored one any more is not held.
//
// One row: how many were held, how many of them in rows, how many rows were taken out, and, if not
// all were held, which (by their place in the arrays, from 1).
const PgStatement kFinishStatement{"finish", R"sql(
WITH alive AS MATERIALIZED (
  SELECT epoch FROM sealpost.dispatchers WHERE epoch = ANY ($23::bigint[]) ORDER BY epoch FOR KEY SHARE
), batches AS MATERIALIZED (
  SELECT n.number, b.created_at FROM unnest($28::text[]) WITH ORDINALITY AS n(id, number)
  CROSS JOIN LATERAL (
    SELECT b.created_at FROM sealpost.delivery_batches b
    WHERE b.id = n.id AND b.lease_epoch = ANY (ARRAY(SELECT epoch FROM alive)) OFFSET 0 FOR KEY SHARE) b
), held AS MATERIALIZED (
  SELECT u.id, u.epoch, r.generation, r.number, r.decision, u.reason, u.wait_us, u.started_us, u.duration_us,
         u.dns_us, u.connect_us, u.tls_us, u.first_byte_us, u.status_code, u.error, u.error_detail,
         u.remote_address, u.response_body, coalesce(u.response_truncated, false) AS response_truncated,
         u.signature_key_ids, u.receiver_error_code, u.response_decrypt_failed, u.n,
         d.place, d.ordering_key, coalesce(d.seq, u.seq) AS seq, coalesce(d.event_id, u.event_id) AS event_id,
         coalesce(d.endpoint_id, u.endpoint_id) AS endpoint_id, coalesce(d.created_at, b.created_at) AS created_at
  FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::text[], $7::bigint[],
              $8::bigint[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::smallint[],
              $15::text[], $16::text[], $17::text[], $18::bytea[], $19::boolean[], $20::text[], $21::text[],
              $22::text[], $24::bigint[], $25::text[], $26::text[], $27::int[]) WITH ORDINALITY
    AS u(id, epoch, generation, number, decision, reason, wait_us, started_us, duration_us, dns_us, connect_us,
         tls_us, first_byte_us, status_code, error, error_detail, remote_address, response_body,
         response_truncated, signature_key_ids, receiver_error_code, response_decrypt_failed, seq, event_id,
         endpoint_id, batch, n)
  CROSS JOIN LATERAL (
    SELECT coalesce(u.generation, 1::smallint) AS generation, coalesce(u.number, 1::smallint) AS number,
           coalesce(u.decision, 'delivered') AS decision) r
  LEFT JOIN batches b ON b.number = u.batch AND r.decision = 'delivered' AND r.generation = 1 AND r.number = 1
  LEFT JOIN LATERAL (
    SELECT d.ctid AS place, d.seq, d.event_id, d.endpoint_id, d.ordering_key, d.created_at
    FROM sealpost.delivery_rows d
    WHERE b.number IS NULL AND d.id = u.id AND d.lease_epoch = u.epoch AND d.generation = r.generation
      AND d.attempts = r.number - 1 OFFSET 0) d ON true
  WHERE u.epoch = ANY (ARRAY(SELECT epoch FROM alive)) AND (b.number IS NOT NULL OR d.place IS NOT NULL)
    AND ($30::boolean IS FALSE OR b.number IS NULL
         OR NOT EXISTS (SELECT FROM sealpost.delivery_history h WHERE h.id = u.id OFFSET 0))
), counted AS MATERIALIZED (
  SELECT count(*) AS held, count(place) AS in_rows, count(*) FILTER (WHERE decision <> 'delivered') AS undelivered
  FROM held
), gone AS MATERIALIZED (
  DELETE FROM sealpost.delivery_rows
  WHERE ctid = ANY (ARRAY(SELECT place FROM held WHERE place IS NOT NULL AND (SELECT in_rows FROM counted) > 0))
    AND lease_epoch = ANY ($23::bigint[])
  RETURNING 1
), emptied AS (
  DELETE FROM sealpost.delivery_batches
  WHERE id = ANY ($29::text[]) AND lease_epoch = ANY (ARRAY(SELECT epoch FROM alive))
    AND (SELECT held FROM counted) = cardinality($1)
), delivered AS (
  INSERT INTO sealpost.delivery_history
    (id, seq, event_id, endpoint_id, state, generation, attempts, last_status_code, created_at, finished_at,
     epoch, started_at, duration_us, dns_us, connect_us, tls_us, first_byte_us, remote_address,
     response_body, response_truncated, signature_key_ids, response_decrypt_failed)
  SELECT id, seq, event_id, endpoint_id, 'delivered', generation, number, status_code, created_at,
         clock_timestamp(), epoch, timestamptz 'epoch' + started_us * interval '1 microsecond',
         duration_us, dns_us, connect_us, tls_us, first_byte_us, remote_address, response_body,
         response_truncated, signature_key_ids, response_decrypt_failed
  FROM held WHERE decision = 'delivered'
), given_up AS (
  INSERT INTO sealpost.dead_letters
    (id, seq, event_id, endpoint_id, ordering_key, reason, generation, attempts, last_status_code, created_at,
     finished_at)
  SELECT id, seq, event_id, endpoint_id, ordering_key, reason, generation, number, status_code, created_at,
         clock_timestamp()
  FROM held WHERE decision = 'given_up' AND (SELECT undelivered FROM counted) > 0
), put_back AS (
  INSERT INTO sealpost.delivery_rows
    (id, seq, event_id, endpoint_id, ordering_key, generation, attempts, next_attempt_at, last_status_code,
     created_at)
  SELECT id, seq, event_id, endpoint_id, ordering_key, generation, number,
         clock_timestamp() + wait_us * interval '1 microsecond', status_code, created_at
  FROM held
  WHERE decision = 'retry' AND (SELECT undelivered FROM counted) > 0 AND (SELECT count(*) FROM gone) > 0
), recorded AS (
  INSERT INTO sealpost.other_attempts
    (delivery_id, generation, number, epoch, started_at, duration_us, dns_us, connect_us, tls_us,
     first_byte_us, status_code, error, error_detail, remote_address, response_body, response_truncated,
     signature_key_ids, receiver_error_code, response_decrypt_failed)
  SELECT id, generation, number, epoch, timestamptz 'epoch' + started_us * interval '1 microsecond',
         duration_us, dns_us, connect_us, tls_us, first_byte_us, status_code, error, error_detail,
         remote_address, response_body, response_truncated, signature_key_ids, receiver_error_code,
         response_decrypt_failed
  FROM held WHERE decision <> 'delivered' AND (SELECT undelivered FROM counted) > 0
)
SELECT held, in_rows, (SELECT count(*) FROM gone),
       CASE WHEN held < cardinality($1) THEN (SELECT string_agg(n::text, ',') FROM held) END
FROM counted)sql"};

// $1 … $22 as above, only for attempts that were not held
//
// Records each unless that very attempt is there already: the batch is being repeated because its
// first commit was in doubt. Indexes: other_attempts_by_delivery and the history's primary key, in
// one partition per id. Locks nothing.
const PgStatement kOrphansStatement{"orphans", R"sql(
INSERT INTO sealpost.other_attempts
  (delivery_id, generation, number, epoch, started_at, duration_us, dns_us, connect_us, tls_us,
   first_byte_us, status_code, error, error_detail, remote_address, response_body, response_truncated,
   signature_key_ids, receiver_error_code, response_decrypt_failed, orphaned)
SELECT u.id, r.generation, r.number, u.epoch, timestamptz 'epoch' + u.started_us * interval '1 microsecond',
       u.duration_us, u.dns_us, u.connect_us, u.tls_us, u.first_byte_us, u.status_code, u.error, u.error_detail,
       u.remote_address, u.response_body, coalesce(u.response_truncated, false), u.signature_key_ids,
       u.receiver_error_code, u.response_decrypt_failed, true
FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::text[], $7::bigint[],
            $8::bigint[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::smallint[],
            $15::text[], $16::text[], $17::text[], $18::bytea[], $19::boolean[], $20::text[], $21::text[],
            $22::text[])
  AS u(id, epoch, generation, number, decision, reason, wait_us, started_us, duration_us, dns_us, connect_us,
       tls_us, first_byte_us, status_code, error, error_detail, remote_address, response_body,
       response_truncated, signature_key_ids, receiver_error_code, response_decrypt_failed)
CROSS JOIN LATERAL (
  SELECT coalesce(u.generation, 1::smallint) AS generation, coalesce(u.number, 1::smallint) AS number) r
CROSS JOIN LATERAL (
  SELECT count(*) AS times FROM sealpost.attempts a
  WHERE a.delivery_id = u.id AND a.generation = r.generation AND a.number = r.number AND a.epoch = u.epoch
) recorded
WHERE recorded.times = 0
RETURNING delivery_id)sql"};

namespace {

// "3,1,2" → 3, 1, 2. Empty text: none.
std::vector<std::size_t> split_numbers(std::string_view list) {
  std::vector<std::size_t> numbers;
  const char* const end = list.data() + list.size();
  for (const char* at = list.data(); at < end; ++at) {
    std::size_t number = 0;
    at = std::from_chars(at, end, number).ptr;
    numbers.push_back(number);
  }
  return numbers;
}

PgArray distinct_epochs(const Attempts& attempts) {
  std::set<Epoch> epochs;
  for (const FinishedAttempt* attempt : attempts) epochs.insert(attempt->delivery.epoch);
  PgArray array;
  for (const Epoch epoch : epochs) array.add(std::int64_t{epoch});
  return array;
}

// Columns $24 to $28: what this process knows about members of delivery batches.
class MemberColumns {
 public:
  void add(const LeasedDelivery& delivery) {
    if (!delivery.batch) {
      for (PgArray* column : {&positions_, &events_, &endpoints_, &numbers_}) column->add_null();
      return;
    }
    const auto [at, is_new] =
        known_.emplace(delivery.batch->id, static_cast<int>(known_.size()) + 1);
    if (is_new) batches_.add(delivery.batch->id);
    positions_.add(delivery.position);
    events_.add(delivery.event->id.text());
    endpoints_.add(delivery.endpoint_id.text());
    numbers_.add(at->second);
  }
  void append_to(PgParameters& parameters) const {
    for (const PgArray* column : {&positions_, &events_, &endpoints_, &numbers_, &batches_}) {
      parameters.add(*column);
    }
  }

 private:
  PgArray positions_, events_, endpoints_, numbers_, batches_;
  std::map<std::string, int> known_;
};

PgParameters finish_parameters(const Attempts& attempts, MonotonicTime now,
                               const LeavingMembers& leaving, bool perhaps_done) {
  PgParameters parameters = attempt_parameters(attempts, now);
  parameters.add(distinct_epochs(attempts));
  MemberColumns members;
  for (const FinishedAttempt* attempt : attempts) members.add(attempt->delivery);
  members.append_to(parameters);
  return parameters.add(leaving.emptied()).add(perhaps_done ? "true" : "false");
}

// With any other end than success a delivery needs a row of its own.
std::vector<const LeasedDelivery*> that_need_rows(const Attempts& attempts) {
  std::vector<const LeasedDelivery*> deliveries;
  for (const FinishedAttempt* attempt : attempts) {
    if (std::holds_alternative<Delivered>(attempt->decision.next)) continue;
    deliveries.push_back(&attempt->delivery);
  }
  return deliveries;
}

enum HeldColumn { kHeld, kRows, kGone, kPlaces };

// The attempts whose deliveries the statement did not find held.
Attempts unheld(const Attempts& attempts, const PgRows& summary) {
  if (summary.number(0, kHeld) == static_cast<std::int64_t>(attempts.size())) return {};
  std::vector<bool> found(attempts.size());
  for (const std::size_t place : split_numbers(summary.view(0, kPlaces)))
    found.at(place - 1) = true;
  Attempts rest;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (!found[i]) rest.push_back(attempts[i]);
  }
  return rest;
}

}  // namespace

// A repetition may find that the first try was committed after all, or even watch it being
// committed.
FinishResult PgDeliveryStore::finish(std::span<const FinishedAttempt> attempts, MonotonicTime now) {
  try {
    const FinishResult result = finish_once(attempts, now);
    if (!in_doubt_.empty()) {
      for (const FinishedAttempt& attempt : attempts) in_doubt_.erase(attempt.delivery.id);
    }
    return result;
  } catch (const StorageError&) {
    for (const FinishedAttempt& attempt : attempts) in_doubt_.insert(attempt.delivery.id);
    throw;
  }
}

FinishResult PgDeliveryStore::finish_once(std::span<const FinishedAttempt> attempts,
                                          MonotonicTime now) {
  Attempts sorted;
  for (const FinishedAttempt& attempt : attempts) sorted.push_back(&attempt);
  std::ranges::sort(sorted, {},
                    [](const FinishedAttempt* attempt) { return attempt->delivery.id; });

  FinishResult result;
  if (sorted.empty()) return result;
  LeavingMembers leaving;
  bool perhaps_done = false;
  for (const FinishedAttempt* attempt : sorted) {
    leaving.add(attempt->delivery);
    perhaps_done = perhaps_done || in_doubt_.contains(attempt->delivery.id);
  }
  session_.transaction(kHotTransaction, [&](PgTransaction& transaction) {
    give_rows(transaction, that_need_rows(sorted));
    const PgRows summary =
        transaction.run(kFinishStatement, finish_parameters(sorted, now, leaving, perhaps_done));
    if (summary.number(0, kGone) != summary.number(0, kRows)) {
      throw StorageError(StorageError::Kind::permanent,
                         "finish: a delivery was changed under its lease");
    }
    store_response_payloads(transaction, sealer_, sorted);
    const Attempts rest = unheld(sorted, summary);
    if (rest.empty()) return;
    const PgRows orphans = transaction.run(kOrphansStatement, attempt_parameters(rest, now));
    for (int i = 0; i < orphans.size(); ++i) result.orphaned.emplace_back(orphans.text(i, 0));
  });
  leaving.left();
  result.applied = static_cast<int>(sorted.size() - result.orphaned.size());
  return result;
}

}  // namespace sealpost
