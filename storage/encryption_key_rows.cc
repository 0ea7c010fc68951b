#include "storage/encryption_key_rows.h"

#include <fmt/format.h>

#include <unordered_map>

namespace sealpost {
namespace {

constexpr const char* kLock = "LOCK TABLE sealpost.encryption_keys IN SHARE ROW EXCLUSIVE MODE";

// Index: endpoints_by_tenant or endpoints_pkey, encryption_keys_by_scope.
constexpr const char* kWithoutKey = R"sql(
SELECT FROM sealpost.endpoints e
WHERE {} AND e.encryption_enabled AND e.status <> 'deleted' AND NOT EXISTS (
  SELECT FROM sealpost.encryption_keys k
  WHERE k.tenant = e.tenant AND (k.endpoint_id = e.id OR k.endpoint_id IS NULL))
LIMIT 1)sql";

constexpr const char* kDeleteOwn = R"sql(
DELETE FROM sealpost.encryption_keys WHERE endpoint_id = $1 AND public_key <> $2::bytea)sql";
constexpr const char* kInsertOwn = R"sql(
INSERT INTO sealpost.encryption_keys (tenant, endpoint_id, public_key)
SELECT tenant, id, $2::bytea FROM sealpost.endpoints WHERE id = $1 ON CONFLICT DO NOTHING)sql";

// An endpoint's own keys, or else the tenant's. Index: encryption_keys_by_scope.
constexpr const char* kKeysOfEndpoints = R"sql(
SELECT e.id, k.id, k.public_key
FROM sealpost.endpoints e JOIN sealpost.encryption_keys k ON k.tenant = e.tenant
WHERE e.id = ANY ($1::text[]) AND e.encryption_enabled
  AND CASE WHEN EXISTS (SELECT FROM sealpost.encryption_keys o
                        WHERE o.tenant = e.tenant AND o.endpoint_id = e.id)
      THEN k.endpoint_id = e.id ELSE k.endpoint_id IS NULL END
ORDER BY k.primary_since DESC NULLS LAST, k.created_at, k.id)sql";

}  // namespace

void lock_encryption_keys(PgTransaction& transaction) { transaction.run_once(kLock); }

bool encrypted_endpoints_have_keys(PgTransaction& transaction, const std::string& tenant) {
  const std::string sql = fmt::format(kWithoutKey, "e.tenant = $1");
  return transaction.run_once(sql, PgParameters().add(tenant)).empty();
}

bool encrypted_endpoint_has_key(PgTransaction& transaction, const EndpointId& id) {
  const std::string sql = fmt::format(kWithoutKey, "e.id = $1");
  return transaction.run_once(sql, PgParameters().add(id.text())).empty();
}

void replace_own_key(PgTransaction& transaction, const EndpointId& id,
                     const std::string& public_key) {
  const auto parameters = PgParameters().add(id.text()).add_bytes(public_key);
  transaction.run_once(kDeleteOwn, parameters);
  transaction.run_once(kInsertOwn, parameters);
}

void add_encryption_keys(PgSession& session, std::vector<Endpoint>& endpoints) {
  PgArray ids;
  std::unordered_map<std::string, Endpoint*> by_id;
  for (Endpoint& endpoint : endpoints) {
    if (!endpoint.settings.encryption.enabled) continue;
    ids.add(endpoint.id.text());
    by_id[endpoint.id.text()] = &endpoint;
  }
  if (by_id.empty()) return;
  const PgRows rows = session.query_once(kKeysOfEndpoints, PgParameters().add(ids));
  for (int i = 0; i < rows.size(); ++i) {
    // Between the two statements an endpoint may have been changed; what it was is not asked again.
    by_id.at(rows.text(i, 0))
        ->encryption_keys.push_back(
            encryption_key(EncryptionKeyId(rows.text(i, 1)), rows.bytes(i, 2)));
  }
}

}  // namespace sealpost
