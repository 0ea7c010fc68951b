#include "admin_api/secret_handlers.h"

#include <nlohmann/json.hpp>
#include <variant>

#include "admin_api/action_bodies.h"
#include "admin_api/field_names.h"
#include "admin_api/history_codec.h"
#include "admin_api/json_answer.h"
#include "admin_api/list_query.h"
#include "admin_api/problem.h"
#include "admin_api/secret_reader.h"
#include "base/log.h"
#include "base/ulid.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kIdPrefix[] = "we_";
// The endpoint is read, the secret checked against its profile, and both written under the version
// that was read.
constexpr int kMaxTries = 5;

EndpointId id_of(const std::string& text) {
  if (!is_prefixed_ulid(text, kIdPrefix)) throw not_found("endpoint");
  return EndpointId(text);
}

[[noreturn]] void refuse(SecretRefusal refusal) {
  switch (refusal) {
    case SecretRefusal::not_found:
      throw not_found("endpoint");
    case SecretRefusal::in_progress:
      throw Problem(409, "rotation_in_progress",
                    "The secret before the present one is still valid. Wait until its grace ends, "
                    "revoke it by secrets/revoke-previous, or send force: true to retire it.",
                    Field::force);
    case SecretRefusal::no_rotation:
      throw Problem(409, "no_rotation_in_progress",
                    "The endpoint's secret was never rotated, so there is only one.");
    case SecretRefusal::expired:
      throw Problem(409, "webhook_secret_expired",
                    "The grace of the previous secret has ended; only the present one is valid.");
    case SecretRefusal::version_differs:
      break;
  }
  throw Problem(409, "conflict", "The endpoint is being changed by others all the time; try again.")
      .with_header("Retry-After", "1");
}

Json text_or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json time_or_null(const std::optional<WallTime>& time) {
  return time ? Json(to_rfc3339(*time)) : Json();
}

const char* state_of(const SecretRecord& secret) {
  if (!secret.expires_at) return "current";
  return secret.expired ? "retired" : "previous";
}

Json to_json(const SecretRecord& secret) {
  return {{Field::id, secret.id.text()},
          {Field::fingerprint, text_or_null(secret.fingerprint)},
          {Field::state, state_of(secret)},
          {Field::reason, secret.reason},
          {Field::created_at, to_rfc3339(secret.created_at)},
          {Field::activated_at, time_or_null(secret.activated_at)},
          {Field::expires_at, time_or_null(secret.expires_at)}};
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ApiAnswer list_answer(const std::variant<std::vector<SecretRecord>, SecretRefusal>& result) {
  if (const auto* refusal = std::get_if<SecretRefusal>(&result)) refuse(*refusal);
  std::vector<std::string> items;
  for (const SecretRecord& secret : std::get<std::vector<SecretRecord>>(result)) {
    items.push_back(dump(to_json(secret)));
  }
  return json_answer(200, page_json(items, ""));
}

ApiAnswer rotated_answer(const EndpointId& endpoint, const RotatedSecrets& rotated,
                         const SecretRotation& rotation, const SigningProfile& profile) {
  const SecretText shared = shared_part(profile, rotation.secret);
  const std::string& public_key = rotation.public_key;
  const auto& before = rotated.before;
  return json_answer(
      200, dump({{Field::endpoint_id, endpoint.text()},
                 {Field::id, rotated.now.id.text()},
                 {Field::secret, shared.empty() ? Json() : Json(shared.reveal())},
                 {Field::public_key, public_key.empty() ? Json() : Json(public_key)},
                 {Field::old_key_fingerprint, before ? text_or_null(before->fingerprint) : Json()},
                 {Field::new_key_fingerprint, text_or_null(rotated.now.fingerprint)},
                 {Field::old_key_expires_at, before ? time_or_null(before->expires_at) : Json()},
                 {Field::created_at, to_rfc3339(rotated.now.created_at)}}));
}

SecretRotation rotation_for(CallContext& context, const EndpointSettings& settings,
                            const RotationBody& body) {
  if (body.secret) check_secret(*body.secret, settings);
  const SigningProfile profile = signing_profile_of(settings);
  SecretRotation rotation{
      .secret = body.secret ? *body.secret : new_signing_secret(profile, context.random),
      .ours = !body.secret,
      .public_key = "",
      .reason = body.reason,
      .grace = body.grace,
      .force = body.force};
  rotation.public_key = public_key_of(profile, rotation.secret);
  return rotation;
}

ApiAnswer rotate(CallContext& context, const EndpointId& id, const RotationBody& body) {
  const auto& tenant = context.token.tenant;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const auto endpoint = context.stores.endpoints().get(tenant, id);
    if (!endpoint || endpoint->status == EndpointStatus::deleted) throw not_found("endpoint");
    const SecretRotation rotation = rotation_for(context, endpoint->settings, body);
    const auto result = context.stores.secrets().rotate(tenant, id, endpoint->version, rotation);
    if (const auto* rotated = std::get_if<RotatedSecrets>(&result)) {
      log_info("secret.rotated", {{"endpoint_id", id.text()},
                                  {"secret_id", rotated->now.id.text()},
                                  {"grace_seconds", static_cast<std::int64_t>(body.grace.count())},
                                  {"reason", body.reason}});
      return rotated_answer(id, *rotated, rotation, signing_profile_of(endpoint->settings));
    }
    const SecretRefusal refusal = std::get<SecretRefusal>(result);
    if (refusal != SecretRefusal::version_differs) refuse(refusal);
  }
  refuse(SecretRefusal::version_differs);
}

// The endpoint that is meant when none is named.
EndpointId only_endpoint(CallContext& context) {
  const auto page =
      context.stores.endpoints().list(context.token.tenant, {.limit = 2, .cursor = ""});
  if (page.items.empty()) throw not_found("endpoint");
  if (page.items.size() > 1) {
    throw Problem(409, "endpoint_id_required",
                  "There are several endpoints; say whose secret is meant.", Field::endpoint_id);
  }
  return page.items.front().id;
}

}  // namespace

ApiAnswer rotate_secret_of_tenant(CallContext& context) {
  require_no_query(context.call);
  const RotationBody body =
      read_rotation(json_body(context.call, BodyNeed::optional), EndpointIdField::allowed);
  const EndpointId id = body.endpoint_id ? id_of(*body.endpoint_id) : only_endpoint(context);
  return rotate(context, id, body);
}

ApiAnswer rotate_secret(CallContext& context) {
  require_no_query(context.call);
  const RotationBody body =
      read_rotation(json_body(context.call, BodyNeed::optional), EndpointIdField::unknown);
  return rotate(context, id_of(context.id), body);
}

ApiAnswer activate_secret(CallContext& context) {
  require_no_query(context.call);
  require_no_fields(json_body(context.call, BodyNeed::optional));
  return list_answer(context.stores.secrets().activate(context.token.tenant, id_of(context.id)));
}

ApiAnswer revoke_previous_secret(CallContext& context) {
  require_no_query(context.call);
  require_no_fields(json_body(context.call, BodyNeed::optional));
  return list_answer(
      context.stores.secrets().revoke_previous(context.token.tenant, id_of(context.id)));
}

ApiAnswer list_secrets(CallContext& context) {
  require_no_query(context.call);
  return list_answer(context.stores.secrets().list(context.token.tenant, id_of(context.id)));
}

}  // namespace sealpost
