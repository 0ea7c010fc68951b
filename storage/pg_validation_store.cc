#include "storage/pg_validation_store.h"

#include <variant>

namespace sealpost {
namespace {

// Index: endpoints_to_validate. What it finds nearly always is nothing; then no transaction begins.
constexpr PgStatement kAnyDue{"validations_due", R"sql(
SELECT EXISTS (SELECT FROM sealpost.endpoints e
  WHERE e.validation_due_at <= now() AND e.bucket = ANY ($1::smallint[])
    AND (e.validation_state = 'pending' OR (e.validation_state = 'valid' AND e.status = 'enabled'))))sql"};

// Index: endpoints_to_validate, the longest overdue first. Locks the rows that it takes, and waits
// for none: two dispatchers that disagree about a bucket take different ones.
constexpr PgStatement kTakeDue{"take_due_validations", R"sql(
WITH due AS (
  SELECT e.id FROM sealpost.endpoints e
  WHERE e.validation_due_at <= now() AND e.bucket = ANY ($1::smallint[])
    AND (e.validation_state = 'pending' OR (e.validation_state = 'valid' AND e.status = 'enabled'))
  ORDER BY e.validation_due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE sealpost.endpoints e
SET validation_due_at = now() + $3 * interval '1 second', validation_asks = least(validation_asks + 1, 1000),
  validation_asked_at = now()
FROM due WHERE e.id = due.id
RETURNING e.id, e.version, e.validation_asks)sql"};

constexpr const char* kAsking = R"sql(
UPDATE sealpost.endpoints SET validation_origin = $3, validation_callback = $4::bytea
WHERE id = $1 AND version = $2 AND validation_state = 'pending')sql";

// A challenge is asked again $4 seconds later.
constexpr const char* kConsented = R"sql(
UPDATE sealpost.endpoints SET validation_state = 'valid', validation_reason = '', validation_asks = 0,
  validation_callback = NULL, validation_allowed_rate = $3::int,
  validation_due_at = CASE WHEN validation = 'challenge' THEN now() + $4 * interval '1 second' END,
  status = CASE WHEN validation_state = 'pending' THEN 'enabled' ELSE status END,
  status_reason = CASE WHEN validation_state = 'pending' THEN '' ELSE status_reason END,
  version = version + 1, updated_at = clock_timestamp()
WHERE id = $1 AND version = $2 AND validation_state IN ('pending', 'valid'))sql";

constexpr const char* kRefused = R"sql(
UPDATE sealpost.endpoints SET validation_state = 'refused', validation_reason = $3, validation_due_at = NULL,
  validation_callback = NULL, status = 'paused', status_reason = 'the receiver did not consent: ' || $3,
  version = version + 1, updated_at = clock_timestamp()
WHERE id = $1 AND version = $2
  AND (validation_state = 'pending' OR (validation_state = 'valid' AND status = 'enabled')))sql";

// $4 NULL: it is not asked again by itself.
constexpr const char* kStillOpen = R"sql(
UPDATE sealpost.endpoints SET validation_reason = $3, validation_due_at = now() + $4 * interval '1 second'
WHERE id = $1 AND version = $2 AND validation_state IN ('pending', 'valid'))sql";

// Index: the unique one on validation_callback. Comparing hashes in the index tells a guesser
// nothing about the secret.
constexpr const char* kConsentedByCallback = R"sql(
UPDATE sealpost.endpoints SET validation_state = 'valid', validation_reason = '', validation_asks = 0,
  validation_callback = NULL, validation_allowed_rate = $2::int, validation_due_at = NULL,
  status = 'enabled', status_reason = '', version = version + 1, updated_at = clock_timestamp()
WHERE validation_callback = $1::bytea AND validation_state = 'pending' RETURNING id)sql";

PgArray array_of(std::span<const std::int16_t> buckets) {
  PgArray array;
  for (const std::int16_t bucket : buckets) array.add(std::int64_t{bucket});
  return array;
}

PgParameters about(const DueValidation& due) {
  return PgParameters().add(due.endpoint_id.text()).add(due.version);
}

}  // namespace

std::vector<DueValidation> PgValidationStore::take_due(std::span<const std::int16_t> buckets,
                                                       int limit) {
  std::vector<DueValidation> taken;
  if (!session_.query(kAnyDue, PgParameters().add(array_of(buckets))).flag(0, 0)) return taken;
  session_.transaction({}, [&](PgTransaction& transaction) {
    const PgRows rows = transaction.run(kTakeDue, PgParameters()
                                                      .add(array_of(buckets))
                                                      .add(limit)
                                                      .add(std::int64_t{kValidationHold.count()}));
    for (int i = 0; i < rows.size(); ++i) {
      taken.push_back({.endpoint_id = EndpointId(rows.text(i, 0)),
                       .version = static_cast<int>(rows.number(i, 1)),
                       .asked = static_cast<int>(rows.number(i, 2))});
    }
  });
  return taken;
}

void PgValidationStore::asking(const DueValidation& due, const std::string& origin,
                               std::string_view secret_sha256) {
  PgParameters parameters = about(due).add(origin);
  if (secret_sha256.empty()) {
    parameters.add_null();
  } else {
    parameters.add_bytes(secret_sha256);
  }
  session_.transaction(
      {}, [&](PgTransaction& transaction) { transaction.run_once(kAsking, parameters); });
}

bool PgValidationStore::conclude(const DueValidation& due, const ValidationVerdict& verdict) {
  const ValidationVerdict last = final_verdict(due, verdict);
  const char* sql = kStillOpen;
  PgParameters parameters = about(due);
  if (const auto* consent = std::get_if<Consent>(&last)) {
    sql = kConsented;
    parameters.add(consent->allowed_per_minute).add(std::int64_t{kValidFor.count()});
  } else if (const auto* refusal = std::get_if<NoConsent>(&last)) {
    sql = kRefused;
    parameters.add(refusal->reason);
  } else if (const auto* silence = std::get_if<NoAnswer>(&last)) {
    const auto next = next_question_after(due.asked);
    parameters.add(silence->reason).add(std::int64_t{next.value().count()});
  } else {
    parameters.add(std::get<LaterConsent>(last).reason).add_null();
  }
  return session_.transaction({}, [&](PgTransaction& transaction) {
    return transaction.run_once(sql, parameters).affected() == 1;
  });
}

std::optional<EndpointId> PgValidationStore::consent(std::string_view secret_sha256,
                                                     const std::optional<Consent>& rate) {
  PgParameters parameters = PgParameters().add_bytes(secret_sha256);
  parameters.add(rate.value_or(Consent{}).allowed_per_minute);
  return session_.transaction({}, [&](PgTransaction& transaction) -> std::optional<EndpointId> {
    const PgRows rows = transaction.run_once(kConsentedByCallback, parameters);
    if (rows.empty()) return std::nullopt;
    return EndpointId(rows.text(0, 0));
  });
}

}  // namespace sealpost
