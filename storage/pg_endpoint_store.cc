#include "storage/pg_endpoint_store.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "core/signing_secret.h"
#include "storage/encryption_key_rows.h"
#include "storage/endpoint_codec.h"
#include "storage/validation_rows.h"

namespace sealpost {
namespace {

// What read_row() reads, in its order.
constexpr const char* kColumns = R"sql(
SELECT e.id, e.tenant, e.status, e.status_reason, e.version, e.url, e.description, to_json(e.enabled_events),
       e.signing, e.envelope, e.retry, e.timeout_ms, e.max_in_flight, e.headers, e.metadata,
       (extract(epoch FROM e.created_at) * 1000000)::bigint, (extract(epoch FROM e.updated_at) * 1000000)::bigint,
       e.rate_limit_per_second, e.ordering, e.on_dead_letter, e.encryption_enabled::int, e.enc_header,
       e.reuse_ephemeral_keys::int, e.bucket,
       (SELECT coalesce(json_agg(s.public_key ORDER BY s.created_at DESC, s.id DESC), '[]')
        FROM sealpost.endpoint_secrets s WHERE s.endpoint_id = e.id AND s.public_key IS NOT NULL
          AND (s.expires_at IS NULL OR s.expires_at > now())), e.headers_key_id, e.require_encrypted_response,
       {}
FROM sealpost.endpoints e)sql";

// Index: endpoints_pkey.
constexpr const char* kLoad = "{} WHERE e.id = ANY ($1::text[])";
constexpr const char* kGet =
    "{} WHERE e.id = $1 AND ($2::text IS NULL OR e.tenant = $2) AND e.status <> 'deleted'";

// Index: endpoints_by_tenant, or endpoints_pkey when all tenants are seen. Newest first is by id.
// One row more than the page tells whether there is another page.
constexpr const char* kList = R"sql({} WHERE ($1::text IS NULL OR e.tenant = $1)
  AND ($2 = '' OR e.id < $2) AND e.status <> 'deleted' ORDER BY e.id DESC LIMIT $3)sql";

// Index: endpoint_secrets_with_public_key. Requests that a key signed last are still on their way
// when it is retired: a signature is good for 5 minutes, and receivers' clocks differ by as much.
constexpr const char* kPublicKeys = R"sql(
SELECT DISTINCT s.public_key FROM sealpost.endpoint_secrets s JOIN sealpost.endpoints e ON e.id = s.endpoint_id
WHERE s.public_key IS NOT NULL AND (s.expires_at IS NULL OR s.expires_at > now() - interval '10 minutes')
  AND (e.status <> 'deleted' OR e.updated_at > now() - interval '10 minutes')
ORDER BY s.public_key)sql";

// Index: endpoint_secrets_by_endpoint. The two newest that are valid; the newest is the first.
constexpr const char* kSecrets = R"sql(
SELECT e.id, s.* FROM unnest($1::text[]) AS e(id) CROSS JOIN LATERAL (
  SELECT s.id, s.ciphertext, s.key_id, coalesce(s.fingerprint, s.id), s.activated_at IS NOT NULL,
         (extract(epoch FROM s.expires_at - clock_timestamp()) * 1000)::bigint,
         (extract(epoch FROM clock_timestamp() - s.created_at) * 1000)::bigint
  FROM sealpost.endpoint_secrets s
  WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
  ORDER BY s.created_at DESC, s.id DESC LIMIT 2) s)sql";

// Index: endpoints_by_change. By the database's clock, like updated_at itself.
constexpr PgStatement kChanged{"endpoints_changed", R"sql(
SELECT id, version FROM sealpost.endpoints WHERE updated_at > now() - $1 * interval '1 second')sql"};

constexpr const char* kNewIds = "SELECT sealpost.new_id('we_'), sealpost.new_id('whs_')";

constexpr const char* kInsert = R"sql(
INSERT INTO sealpost.endpoints (id, url, description, enabled_events, signing, envelope, retry, timeout_ms,
                                max_in_flight, headers, headers_key_id, metadata, rate_limit_per_second,
                                ordering, on_dead_letter, encryption_enabled, enc_header,
                                reuse_ephemeral_keys, require_encrypted_response, tenant)
VALUES ($1, $2, $3, $4::text[], $5::jsonb, $6, $7::jsonb, $8, $9, $10::bytea, $11, $12::jsonb, $13::float8, $14, $15,
        $16::int::boolean, $17, $18::int::boolean, $19::int::boolean, $20))sql";

constexpr const char* kInsertSecret = R"sql(
INSERT INTO sealpost.endpoint_secrets (id, endpoint_id, ciphertext, key_id, fingerprint, public_key)
VALUES ($1, $2, $3::bytea, $4, $5, nullif($6, '')))sql";

// updated_at is the time of the commit as nearly as possible, because changed_within() looks for
// it.
constexpr const char* kUpdate = R"sql(
UPDATE sealpost.endpoints SET url = $2, description = $3, enabled_events = $4::text[], signing = $5::jsonb,
  envelope = $6, retry = $7::jsonb, timeout_ms = $8, max_in_flight = $9, headers = $10::bytea,
  headers_key_id = $11, metadata = $12::jsonb, rate_limit_per_second = $13::float8, ordering = $14,
  on_dead_letter = $15, encryption_enabled = $16::int::boolean, enc_header = $17,
  reuse_ephemeral_keys = $18::int::boolean, require_encrypted_response = $19::int::boolean,
  version = version + 1, updated_at = clock_timestamp()
WHERE id = $1)sql";

constexpr const char* kDisable = R"sql(
UPDATE sealpost.endpoints SET status = 'disabled', status_reason = $2, version = version + 1,
  updated_at = clock_timestamp() WHERE id = $1 AND status = 'enabled')sql";

// Two changes of one endpoint come one after the other, and the later one compares its version with
// what the first one left.
constexpr const char* kLock = R"sql(
SELECT version, url, {} FROM sealpost.endpoints
WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) AND status <> 'deleted' FOR UPDATE)sql";

constexpr const char* kDeletePatterns =
    "DELETE FROM sealpost.endpoint_event_patterns WHERE endpoint_id = $1";
constexpr const char* kInsertPatterns = R"sql(
INSERT INTO sealpost.endpoint_event_patterns (tenant, pattern, endpoint_id)
SELECT DISTINCT e.tenant, p.pattern, e.id
FROM sealpost.endpoints e, unnest(e.enabled_events) AS p(pattern) WHERE e.id = $1)sql";

// With the columns, from a statement that leaves room for them.
std::string select(const char* statement) {
  return fmt::format(fmt::runtime(statement), fmt::format(kColumns, kValidationColumns));
}

template <class Value>
Value known(std::optional<Value> value, const char* column) {
  if (!value) throw std::runtime_error(fmt::format("endpoints.{} has an unknown value", column));
  return *value;
}

void write_patterns(PgTransaction& transaction, const EndpointId& id) {
  transaction.run_once(kDeletePatterns, PgParameters().add(id.text()));
  transaction.run_once(kInsertPatterns, PgParameters().add(id.text()));
}

bool concerns_keys(const EncryptionSettings& encryption) {
  return encryption.enabled || encryption.new_public_key;
}

// Keys are locked before rows of endpoints, here and in PgEncryptionKeyStore: no deadlock.
void lock_keys_for(PgTransaction& transaction, const EncryptionSettings& encryption) {
  if (concerns_keys(encryption)) lock_encryption_keys(transaction);
}

void write_keys(PgTransaction& transaction, const EndpointId& id,
                const EncryptionSettings& encryption) {
  if (!concerns_keys(encryption)) return;
  if (encryption.new_public_key) replace_own_key(transaction, id, *encryption.new_public_key);
  if (!encrypted_endpoint_has_key(transaction, id)) throw EncryptionKeyMissing();
}

}  // namespace

PgEndpointStore::PgEndpointStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys,
                                 Random& random)
    : session_(std::move(options)), sealer_(std::move(keys), random) {}

std::vector<Endpoint> PgEndpointStore::load(std::span<const EndpointId> ids) {
  PgArray array;
  for (const EndpointId& id : ids) array.add(id.text());
  const PgRows rows = session_.query_once(select(kLoad), PgParameters().add(array));
  std::vector<Endpoint> endpoints;
  for (int i = 0; i < rows.size(); ++i)
    endpoints.push_back(read_row(rows, i, OnWrongKey::leave_out));
  add_secrets(endpoints);
  add_encryption_keys(session_, endpoints);
  return endpoints;
}

void PgEndpointStore::add_secrets(std::vector<Endpoint>& endpoints) {
  PgArray ids;
  std::unordered_map<std::string, Endpoint*> by_id;
  for (Endpoint& endpoint : endpoints) {
    ids.add(endpoint.id.text());
    by_id[endpoint.id.text()] = &endpoint;
  }
  const PgRows rows = session_.query_once(kSecrets, PgParameters().add(ids));
  std::unordered_set<std::string> unreadable;
  for (int i = 0; i < rows.size(); ++i) {
    Endpoint& endpoint = *by_id.at(rows.text(i, 0));
    const std::string secret_id = rows.text(i, 1);
    auto secret = sealer_.open(kSealedSecret, secret_id, rows.view(i, 3), rows.bytes(i, 2));
    if (!secret) {
      log_error("endpoint.secret_unreadable", {{"endpoint", rows.view(i, 0)},
                                               {"secret", secret_id},
                                               {"encrypted_under", rows.view(i, 3)},
                                               {"master_key", sealer_.newest_key_id()}});
      unreadable.insert(endpoint.id.text());
      continue;
    }
    endpoint.secrets.push_back(*std::move(secret));
    endpoint.secret_key_ids.push_back(rows.text(i, 4));
    if (endpoint.secrets.size() == 1) {
      endpoint.grace =
          SecretGrace{.new_for = Milliseconds(rows.number(i, 7)), .activated = rows.flag(i, 5)};
    } else {
      endpoint.grace.value().left = Milliseconds(rows.number(i, 6));
    }
  }
  for (Endpoint& endpoint : endpoints) {
    // With one of two it could not be told what a receiver accepts.
    if (unreadable.contains(endpoint.id.text())) endpoint.secrets.clear();
    if (endpoint.secrets.size() < 2) endpoint.grace.reset();
  }
}

std::vector<std::pair<EndpointId, int>> PgEndpointStore::changed_within(
    std::chrono::seconds window) {
  const PgRows rows = session_.query(kChanged, PgParameters().add(std::int64_t{window.count()}));
  std::vector<std::pair<EndpointId, int>> changed;
  for (int i = 0; i < rows.size(); ++i) {
    changed.emplace_back(EndpointId(rows.text(i, 0)), static_cast<int>(rows.number(i, 1)));
  }
  return changed;
}

void PgEndpointStore::disable(const EndpointId& id, const std::string& reason) {
  session_.transaction({}, [&](PgTransaction& transaction) {
    transaction.run_once(kDisable, PgParameters().add(id.text()).add(reason));
  });
}

Endpoint PgEndpointStore::create(const NewEndpoint& endpoint) {
  const EndpointId id = session_.transaction({}, [&](PgTransaction& transaction) {
    lock_keys_for(transaction, endpoint.settings.encryption);
    const PgRows ids = transaction.run_once(kNewIds);
    const EndpointId endpoint_id(ids.text(0, 0));
    const std::string secret_id = ids.text(0, 1);
    transaction.run_once(kInsert,
                         setting_parameters(endpoint_id, endpoint.settings).add(endpoint.tenant));
    const Sealer::Sealed sealed = sealer_.seal(kSealedSecret, secret_id, endpoint.secret);
    std::optional<std::string> fingerprint;
    if (endpoint.secret_is_ours) fingerprint = secret_fingerprint(endpoint.secret);
    transaction.run_once(
        kInsertSecret,
        PgParameters()
            .add(secret_id)
            .add(endpoint_id.text())
            .add_bytes(sealed.ciphertext)
            .add(sealed.key_id)
            .add(fingerprint)
            .add(public_key_of(signing_profile_of(endpoint.settings), endpoint.secret)));
    write_patterns(transaction, endpoint_id);
    write_keys(transaction, endpoint_id, endpoint.settings.encryption);
    const ValidationKind kind = endpoint.settings.validation;
    if (kind != ValidationKind::none) {
      write_standing(transaction, endpoint_id, kind, first_standing(kind));
    }
    return endpoint_id;
  });
  auto created = get(std::nullopt, id);
  if (!created)
    throw StorageError(StorageError::Kind::conflict, "the endpoint was deleted at once");
  return *std::move(created);
}

std::optional<Endpoint> PgEndpointStore::get(const std::optional<std::string>& tenant,
                                             const EndpointId& id) {
  const PgRows rows = session_.query_once(select(kGet), PgParameters().add(id.text()).add(tenant));
  if (rows.empty()) return std::nullopt;
  std::vector<Endpoint> one{read_row(rows, 0, OnWrongKey::refuse)};
  add_encryption_keys(session_, one);
  return std::move(one.front());
}

Page<Endpoint> PgEndpointStore::list(const std::optional<std::string>& tenant,
                                     const PageRequest& request) {
  const PgRows rows = session_.query_once(
      select(kList), PgParameters().add(tenant).add(request.cursor).add(request.limit + 1));
  Page<Endpoint> page;
  for (int i = 0; i < std::min(rows.size(), request.limit); ++i) {
    page.items.push_back(read_row(rows, i, OnWrongKey::refuse));
  }
  if (rows.size() > request.limit) page.next_cursor = page.items.back().id.text();
  add_encryption_keys(session_, page.items);
  return page;
}

std::vector<std::string> PgEndpointStore::public_keys() {
  const PgRows rows = session_.query_once(kPublicKeys);
  std::vector<std::string> keys;
  for (int i = 0; i < rows.size(); ++i) keys.push_back(rows.text(i, 0));
  return keys;
}

PgEndpointStore::Locked PgEndpointStore::lock_for_change(PgTransaction& transaction,
                                                         const std::optional<std::string>& tenant,
                                                         const EndpointId& id,
                                                         std::optional<int> expected_version) {
  const PgRows rows = transaction.run_once(fmt::format(kLock, kStandingColumns),
                                           PgParameters().add(id.text()).add(tenant));
  if (rows.empty()) return {.allowed = ChangeResult::not_found};
  const bool differs = expected_version && rows.number(0, 0) != *expected_version;
  return {.allowed = differs ? ChangeResult::version_differs : ChangeResult::changed,
          .url = rows.text(0, 1),
          .standing = read_standing(rows, 0, 2),
          .validation = read_validation_kind(rows, 0, 2)};
}

EndpointStore::ChangeResult PgEndpointStore::update(const std::optional<std::string>& tenant,
                                                    const EndpointId& id,
                                                    const EndpointSettings& settings,
                                                    std::optional<int> expected_version) {
  return session_.transaction({}, [&](PgTransaction& transaction) {
    lock_keys_for(transaction, settings.encryption);
    const Locked before = lock_for_change(transaction, tenant, id, expected_version);
    if (before.allowed != ChangeResult::changed) return before.allowed;
    transaction.run_once(kUpdate, setting_parameters(id, settings));
    write_patterns(transaction, id);
    write_keys(transaction, id, settings.encryption);
    const ValidationKind kind = settings.validation;
    const bool elsewhere = kind != ValidationKind::none && settings.url != before.url;
    if (kind != before.validation || elsewhere) {
      write_standing(transaction, id, kind, standing_after_change(before.standing, kind));
    }
    return before.allowed;
  });
}

// A deleted endpoint's row stays, for the history and for deliveries that still wait.
EndpointStore::ChangeResult PgEndpointStore::set_status(const std::optional<std::string>& tenant,
                                                        const EndpointId& id, EndpointStatus status,
                                                        const std::string& reason,
                                                        std::optional<int> expected_version) {
  return session_.transaction({}, [&](PgTransaction& transaction) {
    const Locked before = lock_for_change(transaction, tenant, id, expected_version);
    if (before.allowed != ChangeResult::changed) return before.allowed;
    write_standing(transaction, id, before.validation,
                   standing_after(before.standing, before.validation, status, reason));
    if (status == EndpointStatus::deleted) {
      transaction.run_once(kDeletePatterns, PgParameters().add(id.text()));
    }
    return before.allowed;
  });
}

PgParameters PgEndpointStore::setting_parameters(const EndpointId& id,
                                                 const EndpointSettings& settings) {
  PgArray events;
  for (const std::string& pattern : settings.enabled_events) events.add(pattern);
  PgParameters parameters;
  parameters.add(id.text())
      .add(settings.url)
      .add(settings.description)
      .add(events)
      .add(signing_to_json(settings))
      .add(to_text(settings.envelope))
      .add(retry_to_json(settings.retry))
      .add(std::int64_t{settings.timeout.count()})
      .add(settings.max_in_flight);
  if (settings.headers.empty()) {
    parameters.add_null().add_null();
  } else {
    const Sealer::Sealed sealed =
        sealer_.seal(kSealedHeaders, id.text(), headers_to_json(settings.headers));
    parameters.add_bytes(sealed.ciphertext).add(sealed.key_id);
  }
  std::optional<std::string> rate_limit;
  if (settings.rate_limit_per_second) rate_limit = fmt::to_string(*settings.rate_limit_per_second);
  return parameters.add(metadata_to_json(settings.metadata))
      .add(rate_limit)
      .add(to_text(settings.ordering))
      .add(to_text(settings.on_dead_letter))
      .add(int{settings.encryption.enabled})
      .add(to_text(settings.encryption.enc_header))
      .add(int{settings.encryption.reuse_ephemeral_keys})
      .add(int{settings.require_encrypted_response});
}

Endpoint PgEndpointStore::read_row(const PgRows& rows, int i, OnWrongKey on_wrong_key) const {
  Endpoint endpoint;
  endpoint.id = EndpointId(rows.text(i, 0));
  endpoint.tenant = rows.text(i, 1);
  endpoint.status = known(endpoint_status_from_text(rows.view(i, 2)), "status");
  endpoint.status_reason = rows.text(i, 3);
  endpoint.version = static_cast<int>(rows.number(i, 4));
  EndpointSettings& settings = endpoint.settings;
  settings.url = rows.text(i, 5);
  settings.description = rows.text(i, 6);
  settings.enabled_events = strings_from_json(rows.view(i, 7));
  read_signing(rows.view(i, 8), settings);
  settings.envelope = known(envelope_from_text(rows.view(i, 9)), "envelope");
  settings.retry = retry_from_json(rows.view(i, 10));
  settings.timeout = Milliseconds(rows.number(i, 11));
  settings.max_in_flight = static_cast<int>(rows.number(i, 12));
  settings.metadata = metadata_from_json(rows.view(i, 14));
  endpoint.created_at = rows.time(i, 15);
  endpoint.updated_at = rows.time(i, 16);
  settings.rate_limit_per_second = rows.optional_real(i, 17);
  settings.ordering = known(ordering_from_text(rows.view(i, 18)), "ordering");
  settings.on_dead_letter = known(on_dead_letter_from_text(rows.view(i, 19)), "on_dead_letter");
  settings.encryption.enabled = rows.number(i, 20) == 1;
  settings.encryption.enc_header = known(enc_header_from_text(rows.view(i, 21)), "enc_header");
  settings.encryption.reuse_ephemeral_keys = rows.number(i, 22) == 1;
  settings.require_encrypted_response = rows.flag(i, 26);
  endpoint.bucket = static_cast<std::int16_t>(rows.number(i, 23));
  endpoint.public_keys = strings_from_json(rows.view(i, 24));
  read_validation(rows, i, 27, endpoint);
  if (rows.is_null(i, 13)) return endpoint;
  const std::string key_id = rows.text(i, 25);
  const auto headers = sealer_.open(kSealedHeaders, endpoint.id.text(), key_id, rows.bytes(i, 13));
  if (headers) {
    settings.headers = headers_from_json(*headers);
  } else if (on_wrong_key == OnWrongKey::refuse) {
    throw StorageError(
        StorageError::Kind::permanent,
        fmt::format("the headers of {} are encrypted under master key {} and cannot be "
                    "decrypted: is the master key file the one that this database was set up with?",
                    endpoint.id.text(), key_id));
  }
  return endpoint;
}

}  // namespace sealpost
