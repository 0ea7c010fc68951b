#include "storage/pg_encryption_key_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/limits.h"
#include "storage/encryption_key_rows.h"

namespace sealpost {
namespace {

// What read_row() reads, in its order. Whether a key is primary is not stored but follows from its
// scope. Index: encryption_keys_by_scope.
constexpr const char* kColumns = R"sql(
SELECT k.id, k.public_key, k.tenant, k.endpoint_id, k.label, (extract(epoch FROM k.created_at) * 1000000)::bigint,
  (k.id = (SELECT p.id FROM sealpost.encryption_keys p
           WHERE p.tenant = k.tenant AND p.endpoint_id IS NOT DISTINCT FROM k.endpoint_id
           ORDER BY p.primary_since DESC NULLS LAST, p.created_at, p.id LIMIT 1))::int
FROM sealpost.encryption_keys k)sql";

// Index: encryption_keys_pkey.
constexpr const char* kGet = "{} WHERE k.id = $1 AND ($2::text IS NULL OR k.tenant = $2)";
constexpr const char* kList = R"sql({} WHERE ($1::text IS NULL OR k.tenant = $1)
  AND ($2 = '' OR k.id < $2) ORDER BY k.id DESC LIMIT $3)sql";

// The scope of a new key: the endpoint's, which must be there, or the tenant's.
constexpr const char* kTenantOfEndpoint = R"sql(
SELECT tenant FROM sealpost.endpoints
WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) AND status <> 'deleted')sql";
constexpr const char* kKeysOfScope = R"sql(
SELECT public_key FROM sealpost.encryption_keys WHERE tenant = $1 AND endpoint_id IS NOT DISTINCT FROM $2)sql";
constexpr const char* kInsert = R"sql(
INSERT INTO sealpost.encryption_keys (tenant, endpoint_id, public_key, label)
VALUES ($1, $2, $3::bytea, $4) RETURNING id)sql";

constexpr const char* kDelete = R"sql(
DELETE FROM sealpost.encryption_keys WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)
RETURNING tenant, endpoint_id)sql";
constexpr const char* kDeleteOld = R"sql(
DELETE FROM sealpost.encryption_keys WHERE tenant = $1 AND endpoint_id IS NOT DISTINCT FROM $2
  AND id <> (SELECT n.id FROM sealpost.encryption_keys n
             WHERE n.tenant = $1 AND n.endpoint_id IS NOT DISTINCT FROM $2
             ORDER BY n.created_at DESC, n.id DESC LIMIT 1)
RETURNING id)sql";
constexpr const char* kMakePrimary = R"sql(
UPDATE sealpost.encryption_keys SET primary_since = clock_timestamp()
WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) RETURNING tenant, endpoint_id)sql";

// Dispatchers load an endpoint again when its version rises.
constexpr const char* kNewVersions = R"sql(
UPDATE sealpost.endpoints SET version = version + 1, updated_at = clock_timestamp()
WHERE tenant = $1 AND ($2::text IS NULL OR id = $2) AND encryption_enabled AND status <> 'deleted')sql";

// Undoes the transaction by being thrown out of it.
struct LastKey {};

std::optional<std::string> text_of(const std::optional<EndpointId>& id) {
  return id ? std::optional(id->text()) : std::nullopt;
}

StoredEncryptionKey read_row(const PgRows& rows, int i) {
  StoredEncryptionKey stored;
  stored.key = encryption_key(EncryptionKeyId(rows.text(i, 0)), rows.bytes(i, 1));
  stored.tenant = rows.text(i, 2);
  if (auto id = rows.optional_text(i, 3)) stored.endpoint_id = EndpointId(*std::move(id));
  stored.label = rows.text(i, 4);
  stored.created_at = rows.time(i, 5);
  stored.primary = rows.number(i, 6) == 1;
  return stored;
}

void raise_versions(PgTransaction& transaction, const std::string& tenant,
                    const std::optional<std::string>& endpoint_id) {
  transaction.run_once(kNewVersions, PgParameters().add(tenant).add(endpoint_id));
}

}  // namespace

std::variant<StoredEncryptionKey, EncryptionKeyStore::Refusal> PgEncryptionKeyStore::add(
    const NewEncryptionKey& key) {
  using Result = std::variant<EncryptionKeyId, Refusal>;
  const std::optional<std::string> endpoint_id = text_of(key.endpoint_id);
  const Result result = session_.transaction({}, [&](PgTransaction& transaction) -> Result {
    lock_encryption_keys(transaction);
    std::string tenant = key.tenant.value_or("");
    if (endpoint_id) {
      const PgRows owner =
          transaction.run_once(kTenantOfEndpoint, PgParameters().add(*endpoint_id).add(key.tenant));
      if (owner.empty()) return Refusal::endpoint_not_found;
      tenant = owner.text(0, 0);
    }
    const PgRows present =
        transaction.run_once(kKeysOfScope, PgParameters().add(tenant).add(endpoint_id));
    for (int i = 0; i < present.size(); ++i) {
      if (present.bytes(i, 0) == key.public_key) return Refusal::exists;
    }
    if (present.size() >= static_cast<int>(kMaxEncryptionKeys)) return Refusal::too_many;
    const PgRows rows = transaction.run_once(
        kInsert,
        PgParameters().add(tenant).add(endpoint_id).add_bytes(key.public_key).add(key.label));
    raise_versions(transaction, tenant, endpoint_id);
    return EncryptionKeyId(rows.text(0, 0));
  });
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  auto stored = get(std::nullopt, std::get<EncryptionKeyId>(result));
  if (!stored) throw StorageError(StorageError::Kind::conflict, "the key was deleted at once");
  return *std::move(stored);
}

std::optional<StoredEncryptionKey> PgEncryptionKeyStore::get(
    const std::optional<std::string>& tenant, const EncryptionKeyId& id) {
  const PgRows rows =
      session_.query_once(fmt::format(kGet, kColumns), PgParameters().add(id.text()).add(tenant));
  if (rows.empty()) return std::nullopt;
  return read_row(rows, 0);
}

Page<StoredEncryptionKey> PgEncryptionKeyStore::list(const std::optional<std::string>& tenant,
                                                     const PageRequest& request) {
  const PgRows rows =
      session_.query_once(fmt::format(kList, kColumns),
                          PgParameters().add(tenant).add(request.cursor).add(request.limit + 1));
  Page<StoredEncryptionKey> page;
  for (int i = 0; i < std::min(rows.size(), request.limit); ++i) {
    page.items.push_back(read_row(rows, i));
  }
  if (rows.size() > request.limit) page.next_cursor = page.items.back().key.id.text();
  return page;
}

EncryptionKeyStore::RemoveResult PgEncryptionKeyStore::remove(
    const std::optional<std::string>& tenant, const EncryptionKeyId& id) {
  try {
    return session_.transaction({}, [&](PgTransaction& transaction) {
      lock_encryption_keys(transaction);
      const PgRows rows = transaction.run_once(kDelete, PgParameters().add(id.text()).add(tenant));
      if (rows.empty()) return RemoveResult::not_found;
      if (!encrypted_endpoints_have_keys(transaction, rows.text(0, 0))) throw LastKey{};
      raise_versions(transaction, rows.text(0, 0), rows.optional_text(0, 1));
      return RemoveResult::removed;
    });
  } catch (const LastKey&) {
    return RemoveResult::last_key;
  }
}

std::vector<EncryptionKeyId> PgEncryptionKeyStore::remove_old(
    const std::string& tenant, const std::optional<EndpointId>& endpoint_id) {
  return session_.transaction({}, [&](PgTransaction& transaction) {
    lock_encryption_keys(transaction);
    const auto scope = text_of(endpoint_id);
    const PgRows rows = transaction.run_once(kDeleteOld, PgParameters().add(tenant).add(scope));
    std::vector<EncryptionKeyId> removed;
    for (int i = 0; i < rows.size(); ++i) removed.emplace_back(rows.text(i, 0));
    if (!removed.empty()) raise_versions(transaction, tenant, scope);
    return removed;
  });
}

bool PgEncryptionKeyStore::make_primary(const std::optional<std::string>& tenant,
                                        const EncryptionKeyId& id) {
  return session_.transaction({}, [&](PgTransaction& transaction) {
    lock_encryption_keys(transaction);
    const PgRows rows =
        transaction.run_once(kMakePrimary, PgParameters().add(id.text()).add(tenant));
    if (rows.empty()) return false;
    raise_versions(transaction, rows.text(0, 0), rows.optional_text(0, 1));
    return true;
  });
}

}  // namespace sealpost
