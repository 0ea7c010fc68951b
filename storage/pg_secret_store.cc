#include "storage/pg_secret_store.h"

#include <fmt/format.h>

#include <utility>

#include "core/limits.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

constexpr const char* kLock = R"sql(
SELECT version FROM sealpost.endpoints
WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) AND status <> 'deleted' FOR UPDATE)sql";

// Index: endpoint_secrets_by_endpoint. What records() reads, in its order; the newest first.
constexpr const char* kRecords = R"sql(
SELECT id, fingerprint, reason, (extract(epoch FROM created_at) * 1000000)::bigint,
       (extract(epoch FROM activated_at) * 1000000)::bigint,
       (extract(epoch FROM expires_at) * 1000000)::bigint,
       coalesce(expires_at <= clock_timestamp(), false)
FROM sealpost.endpoint_secrets WHERE endpoint_id = $1 ORDER BY created_at DESC, id DESC)sql";

constexpr const char* kNewId = "SELECT sealpost.new_id('whs_')";

// The current secret's grace begins; one that was in its grace already loses the rest of it. Times
// are taken after the lock, so they follow the order of the rotations.
// $1 endpoint, $2 seconds of grace, $3 seconds that retiring at once takes.
constexpr const char* kBeginGrace = R"sql(
UPDATE sealpost.endpoint_secrets
SET expires_at = CASE WHEN expires_at IS NULL THEN clock_timestamp() + $2 * interval '1 second'
                      ELSE least(expires_at, clock_timestamp() + $3 * interval '1 second') END
WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp()))sql";

constexpr const char* kInsert = R"sql(
INSERT INTO sealpost.endpoint_secrets (id, endpoint_id, ciphertext, key_id, fingerprint, reason, public_key)
VALUES ($1, $2, $3::bytea, $4, $5, $6, nullif($7, '')))sql";

// What was replaced long ago is worth nothing to the operator and much to a thief.
constexpr const char* kForgetOldest = R"sql(
DELETE FROM sealpost.endpoint_secrets WHERE endpoint_id = $1 AND id NOT IN (
  SELECT id FROM sealpost.endpoint_secrets WHERE endpoint_id = $1
  ORDER BY created_at DESC, id DESC LIMIT $2))sql";

constexpr const char* kActivate = R"sql(
UPDATE sealpost.endpoint_secrets SET activated_at = coalesce(activated_at, clock_timestamp())
WHERE endpoint_id = $1 AND expires_at IS NULL)sql";

constexpr const char* kRevoke = R"sql(
UPDATE sealpost.endpoint_secrets
SET expires_at = least(expires_at, clock_timestamp() + {} * interval '1 second')
WHERE endpoint_id = $1 AND expires_at > clock_timestamp())sql";

constexpr const char* kRaiseVersion = R"sql(
UPDATE sealpost.endpoints SET version = version + 1, updated_at = clock_timestamp() WHERE id = $1)sql";

constexpr const char* kExists = R"sql(
SELECT FROM sealpost.endpoints
WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) AND status <> 'deleted')sql";

// The older of two valid secrets, or why there is none.
std::optional<SecretRefusal> no_grace(const std::vector<SecretRecord>& secrets) {
  if (secrets.size() < 2) return SecretRefusal::no_rotation;
  if (secrets[1].expired) return SecretRefusal::expired;
  return std::nullopt;
}

}  // namespace

PgSecretStore::PgSecretStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys,
                             Random& random)
    : session_(std::move(options)), sealer_(std::move(keys), random) {}

std::variant<RotatedSecrets, SecretRefusal> PgSecretStore::rotate(
    const std::optional<std::string>& tenant, const EndpointId& endpoint, int expected_version,
    const SecretRotation& rotation) {
  using Result = std::variant<RotatedSecrets, SecretRefusal>;
  return session_.transaction({}, [&](PgTransaction& transaction) -> Result {
    const std::optional<int> version = lock(transaction, tenant, endpoint);
    if (!version) return SecretRefusal::not_found;
    if (*version != expected_version) return SecretRefusal::version_differs;
    if (!rotation.force && !no_grace(records(transaction, endpoint))) {
      return SecretRefusal::in_progress;
    }
    const std::string id = transaction.run_once(kNewId).text(0, 0);
    transaction.run_once(kBeginGrace, PgParameters()
                                          .add(endpoint.text())
                                          .add(std::max(rotation.grace, kMinSecretGrace).count())
                                          .add(std::int64_t{kMinSecretGrace.count()}));
    const Sealer::Sealed sealed = sealer_.seal(kSealedSecret, id, rotation.secret);
    std::optional<std::string> fingerprint;
    if (rotation.ours) fingerprint = secret_fingerprint(rotation.secret);
    transaction.run_once(kInsert, PgParameters()
                                      .add(id)
                                      .add(endpoint.text())
                                      .add_bytes(sealed.ciphertext)
                                      .add(sealed.key_id)
                                      .add(fingerprint)
                                      .add(rotation.reason)
                                      .add(rotation.public_key));
    transaction.run_once(kForgetOldest, PgParameters().add(endpoint.text()).add(kKeptSecrets));
    transaction.run_once(kRaiseVersion, PgParameters().add(endpoint.text()));
    const std::vector<SecretRecord> after = records(transaction, endpoint);
    RotatedSecrets rotated{.now = after.at(0), .before = std::nullopt};
    if (!no_grace(after)) rotated.before = after.at(1);
    return rotated;
  });
}

std::variant<std::vector<SecretRecord>, SecretRefusal> PgSecretStore::activate(
    const std::optional<std::string>& tenant, const EndpointId& endpoint) {
  return change_during_grace(tenant, endpoint, kActivate);
}

std::variant<std::vector<SecretRecord>, SecretRefusal> PgSecretStore::revoke_previous(
    const std::optional<std::string>& tenant, const EndpointId& endpoint) {
  return change_during_grace(tenant, endpoint, fmt::format(kRevoke, kMinSecretGrace.count()));
}

std::variant<std::vector<SecretRecord>, SecretRefusal> PgSecretStore::change_during_grace(
    const std::optional<std::string>& tenant, const EndpointId& endpoint, const std::string& sql) {
  using Result = std::variant<std::vector<SecretRecord>, SecretRefusal>;
  return session_.transaction({}, [&](PgTransaction& transaction) -> Result {
    if (!lock(transaction, tenant, endpoint)) return SecretRefusal::not_found;
    if (const auto refusal = no_grace(records(transaction, endpoint))) return *refusal;
    transaction.run_once(sql, PgParameters().add(endpoint.text()));
    transaction.run_once(kRaiseVersion, PgParameters().add(endpoint.text()));
    return records(transaction, endpoint);
  });
}

std::variant<std::vector<SecretRecord>, SecretRefusal> PgSecretStore::list(
    const std::optional<std::string>& tenant, const EndpointId& endpoint) {
  using Result = std::variant<std::vector<SecretRecord>, SecretRefusal>;
  return session_.transaction({}, [&](PgTransaction& transaction) -> Result {
    const PgParameters which = PgParameters().add(endpoint.text()).add(tenant);
    if (transaction.run_once(kExists, which).empty()) return SecretRefusal::not_found;
    return records(transaction, endpoint);
  });
}

std::optional<int> PgSecretStore::lock(PgTransaction& transaction,
                                       const std::optional<std::string>& tenant,
                                       const EndpointId& endpoint) {
  const PgRows rows = transaction.run_once(kLock, PgParameters().add(endpoint.text()).add(tenant));
  if (rows.empty()) return std::nullopt;
  return static_cast<int>(rows.number(0, 0));
}

std::vector<SecretRecord> PgSecretStore::records(PgTransaction& transaction,
                                                 const EndpointId& endpoint) {
  const PgRows rows = transaction.run_once(kRecords, PgParameters().add(endpoint.text()));
  std::vector<SecretRecord> secrets;
  for (int i = 0; i < rows.size(); ++i) {
    secrets.push_back({.id = SecretId(rows.text(i, 0)),
                       .fingerprint = rows.optional_text(i, 1),
                       .reason = rows.text(i, 2),
                       .created_at = rows.time(i, 3),
                       .activated_at = rows.optional_time(i, 4),
                       .expires_at = rows.optional_time(i, 5),
                       .expired = rows.flag(i, 6)});
  }
  return secrets;
}

}  // namespace sealpost
