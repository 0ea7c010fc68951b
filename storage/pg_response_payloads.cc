#include "storage/pg_response_payloads.h"

#include "base/log.h"
#include "storage/pg_statements.h"

namespace sealpost {

// $1 … $3 one array per column, $4 and $5 epoch and number of the attempts. Those that the finish
// statement of this transaction did not find held have no record, or another one. Indexes: the
// primary keys of both tables, in one partition per id. Locks nothing.
const PgStatement kResponsePayloadsStatement{"response_payloads", R"sql(
INSERT INTO sealpost.response_payloads (id, ciphertext, key_id)
SELECT r.id, r.ciphertext, r.key_id
FROM unnest($1::text[], $2::bytea[], $3::text[], $4::bigint[], $5::smallint[])
  AS r(id, ciphertext, key_id, epoch, number)
CROSS JOIN LATERAL (
  SELECT FROM sealpost.delivery_history h
  WHERE h.id = r.id AND h.state = 'delivered' AND h.epoch = r.epoch AND h.attempts = r.number OFFSET 0) h
ON CONFLICT (id) DO NOTHING)sql"};

namespace {

// In hex, and twice in memory for a moment.
constexpr std::size_t kBytesPerStatement = 4 << 20;

// Index: the primary keys of response_payloads and delivery_history, in one partition, and of
// endpoints.
constexpr const char* kLoad = R"sql(
SELECT r.ciphertext, r.key_id
FROM sealpost.response_payloads r JOIN sealpost.delivery_history h ON h.id = r.id
  JOIN sealpost.endpoints e ON e.id = h.endpoint_id
WHERE r.id = $1 AND h.id = $1 AND ($2::text IS NULL OR e.tenant = $2))sql";

class Batch {
 public:
  Batch(PgTransaction& transaction, const Sealer& sealer)
      : transaction_(transaction), sealer_(sealer) {}

  void add(const FinishedAttempt& attempt) {
    const std::string& id = attempt.delivery.id.text();
    const Sealer::Sealed sealed = sealer_.seal(kSealedResponse, id, *attempt.response_payload);
    ids_.add(id);
    ciphertexts_.add_bytes(sealed.ciphertext);
    key_ids_.add(sealed.key_id);
    epochs_.add(std::int64_t{attempt.delivery.epoch});
    numbers_.add(attempt.attempt_number);
    bytes_ += sealed.ciphertext.size();
    if (bytes_ >= kBytesPerStatement) write();
  }
  void write() {
    if (bytes_ == 0) return;
    transaction_.run(
        kResponsePayloadsStatement,
        PgParameters().add(ids_).add(ciphertexts_).add(key_ids_).add(epochs_).add(numbers_));
    ids_ = ciphertexts_ = key_ids_ = epochs_ = numbers_ = PgArray();
    bytes_ = 0;
  }

 private:
  PgTransaction& transaction_;
  const Sealer& sealer_;
  PgArray ids_, ciphertexts_, key_ids_, epochs_, numbers_;
  std::size_t bytes_ = 0;
};

}  // namespace

void store_response_payloads(PgTransaction& transaction, const Sealer& sealer,
                             std::span<const FinishedAttempt* const> attempts) {
  Batch batch(transaction, sealer);
  for (const FinishedAttempt* attempt : attempts) {
    if (attempt->response_payload) batch.add(*attempt);
  }
  batch.write();
}

std::optional<ResponsePayload> load_response_payload(PgSession& session, const Sealer& sealer,
                                                     const std::optional<std::string>& tenant,
                                                     const DeliveryId& id) {
  const PgRows rows = session.query_once(kLoad, PgParameters().add(id.text()).add(tenant));
  if (rows.empty()) return std::nullopt;
  auto text = sealer.open(kSealedResponse, id.text(), rows.view(0, 1), rows.bytes(0, 0));
  if (!text) {
    log_error("delivery.response_unreadable", {{"delivery_id", id.text()},
                                               {"encrypted_under", rows.view(0, 1)},
                                               {"master_key", sealer.newest_key_id()}});
  }
  return ResponsePayload{std::move(text)};
}

}  // namespace sealpost
