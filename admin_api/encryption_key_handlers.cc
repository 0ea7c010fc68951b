#include "admin_api/encryption_key_handlers.h"

#include <nlohmann/json.hpp>

#include "admin_api/action_bodies.h"
#include "admin_api/encryption_reader.h"
#include "admin_api/field_names.h"
#include "admin_api/history_codec.h"
#include "admin_api/json_answer.h"
#include "admin_api/list_query.h"
#include "admin_api/problem.h"
#include "base/ulid.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;
using Refusal = EncryptionKeyStore::Refusal;
using RemoveResult = EncryptionKeyStore::RemoveResult;

constexpr char kIdPrefix[] = "whk_";
constexpr char kOldKeys[] = "old";

std::string to_json(const StoredEncryptionKey& stored) {
  const Json json = {
      {Field::id, stored.key.id.text()},
      {Field::tenant, stored.tenant},
      {Field::endpoint_id, stored.endpoint_id ? Json(stored.endpoint_id->text()) : Json()},
      {Field::key_type, kKeyType},
      {Field::public_key, public_key_text(stored.key.public_key)},
      {Field::fingerprint, stored.key.fingerprint},
      {Field::label, stored.label},
      {Field::primary, stored.primary},
      {Field::created_at, to_rfc3339(stored.created_at)},
  };
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Problem key_not_found() {
  return Problem(404, "webhook_key_not_found",
                 "There is no such key (any more); GET /v1/merchant/webhook-keys lists them.");
}

Problem other_tenant() {
  return Problem(403, "tenant_not_allowed",
                 "This token is for one tenant; leave tenant out to mean that one.", Field::tenant);
}

Problem refused(Refusal refusal) {
  switch (refusal) {
    case Refusal::endpoint_not_found:
      return not_found("endpoint");
    case Refusal::exists:
      return Problem(409, "webhook_key_exists",
                     "This key is registered already; nothing needs to be done.", "public_key");
    case Refusal::too_many:
      break;
  }
  return Problem(409, "too_many_keys",
                 "Every body is encrypted for each key, so there may be " +
                     std::to_string(kMaxEncryptionKeys) +
                     "; delete one that no receiver uses any more.");
}

EncryptionKeyId id_of(const CallContext& context) {
  if (!is_prefixed_ulid(context.id, kIdPrefix)) throw key_not_found();
  return EncryptionKeyId(context.id);
}

StoredEncryptionKey find_key(CallContext& context) {
  auto key = context.stores.encryption_keys().get(context.token.tenant, id_of(context));
  if (!key) throw key_not_found();
  return *std::move(key);
}

std::optional<std::string> tenant_of(const CallContext& context, const EncryptionKeyDraft& draft) {
  const auto& own = context.token.tenant;
  if (own && draft.tenant && *draft.tenant != *own) {
    throw other_tenant();
  }
  if (own) return own;
  if (draft.tenant || draft.endpoint_id) return draft.tenant;
  return kDefaultTenant;
}

ApiAnswer deleted(const std::vector<EncryptionKeyId>& ids) {
  Json json = {{Field::deleted, Json::array()}};
  for (const EncryptionKeyId& id : ids) json[Field::deleted].push_back(id.text());
  return json_answer(200, json.dump());
}

ApiAnswer delete_old_keys(CallContext& context) {
  const KeyScopeQuery scope = read_key_scope_query(context.call);
  const auto& own = context.token.tenant;
  if (own && scope.tenant && *scope.tenant != *own) throw other_tenant();
  const std::string tenant = context.token.tenant.value_or(scope.tenant.value_or(kDefaultTenant));
  return deleted(context.stores.encryption_keys().remove_old(tenant, scope.endpoint_id));
}

}  // namespace

ApiAnswer list_encryption_keys(CallContext& context) {
  const PageRequest request = read_page_query(context.call, kIdPrefix);
  const auto page = context.stores.encryption_keys().list(context.token.tenant, request);
  std::vector<std::string> items;
  for (const StoredEncryptionKey& key : page.items) items.push_back(to_json(key));
  return json_answer(200, page_json(items, page.next_cursor));
}

ApiAnswer create_encryption_key(CallContext& context) {
  require_no_query(context.call);
  EncryptionKeyDraft draft = read_new_key(json_body(context.call, BodyNeed::required));
  NewEncryptionKey key{.tenant = tenant_of(context, draft),
                       .endpoint_id = {},
                       .public_key = std::move(draft.public_key),
                       .label = std::move(draft.label)};
  if (draft.endpoint_id) key.endpoint_id = EndpointId(*draft.endpoint_id);
  const auto result = context.stores.encryption_keys().add(key);
  if (const auto* refusal = std::get_if<Refusal>(&result)) throw refused(*refusal);
  const auto& stored = std::get<StoredEncryptionKey>(result);
  ApiAnswer answer = json_answer(201, to_json(stored));
  answer.headers.push_back({"Location", "/v1/merchant/webhook-keys/" + stored.key.id.text()});
  return answer;
}

ApiAnswer get_encryption_key(CallContext& context) {
  require_no_query(context.call);
  return json_answer(200, to_json(find_key(context)));
}

ApiAnswer delete_encryption_key(CallContext& context) {
  if (context.id == kOldKeys) return delete_old_keys(context);
  require_no_query(context.call);
  const EncryptionKeyId id = id_of(context);
  switch (context.stores.encryption_keys().remove(context.token.tenant, id)) {
    case RemoveResult::removed:
      return deleted({id});
    case RemoveResult::not_found:
      throw key_not_found();
    case RemoveResult::last_key:
      break;
  }
  throw Problem(409, "last_encryption_key",
                "An endpoint with encryption enabled would be left without a key. Register the new "
                "key first, or send {\"encryption\": null} to the endpoint.");
}

ApiAnswer make_encryption_key_primary(CallContext& context) {
  require_no_query(context.call);
  require_no_fields(json_body(context.call, BodyNeed::optional));
  if (!context.stores.encryption_keys().make_primary(context.token.tenant, id_of(context))) {
    throw key_not_found();
  }
  return json_answer(200, to_json(find_key(context)));
}

}  // namespace sealpost
