#include "admin_api/endpoint_codec.h"

#include <nlohmann/json.hpp>

#include "admin_api/field_names.h"
#include "admin_api/retry_codec.h"
#include "core/signing_profile_json.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;

Json encryption_json(const Endpoint& endpoint) {
  const EncryptionSettings& encryption = endpoint.settings.encryption;
  const auto& keys = endpoint.encryption_keys;
  return {
      {Field::enabled, encryption.enabled},
      {Field::key_type, kKeyType},
      {Field::public_key_fingerprint, keys.empty() ? Json() : Json(keys.front().fingerprint)},
      {Field::enc_header, to_text(encryption.enc_header)},
      {Field::reuse_ephemeral_keys, encryption.reuse_ephemeral_keys},
  };
}

Json signing_of(const Endpoint& endpoint) {
  const EndpointSettings& settings = endpoint.settings;
  Json signing;
  if (settings.custom_signing) {
    signing[Field::custom] = Json::parse(signing_profile_json(*settings.custom_signing));
  } else {
    signing[Field::profile] = settings.signing_profile;
  }
  if (settings.next_header) signing[Field::next_header] = true;
  if (!endpoint.public_keys.empty()) signing[Field::public_keys] = endpoint.public_keys;
  return signing;
}

Json validation_json(const Endpoint& endpoint) {
  const Validation& validation = endpoint.validation;
  const auto& asked_at = validation.asked_at;
  const auto& rate = validation.allowed_per_minute;
  return {
      {Field::kind, to_text(endpoint.settings.validation)},
      {Field::state, to_text(validation.state)},
      {Field::reason, validation.reason},
      {Field::asked_at, asked_at ? Json(to_rfc3339(*asked_at)) : Json()},
      {Field::allowed_per_minute, rate ? Json(*rate) : Json()},
  };
}

Json to_json(const Endpoint& endpoint) {
  const EndpointSettings& settings = endpoint.settings;
  Json headers = Json::object();
  for (const auto& entry : settings.headers) headers[entry.first] = kHiddenValue;
  return {
      {Field::id, endpoint.id.text()},
      {Field::tenant, endpoint.tenant},
      {Field::url, settings.url},
      {Field::description, settings.description},
      {Field::status, to_text(endpoint.status)},
      {Field::status_reason, endpoint.status_reason},
      {Field::enabled_events, settings.enabled_events},
      {Field::signing, signing_of(endpoint)},
      {Field::envelope, to_text(settings.envelope)},
      {Field::encryption, encryption_json(endpoint)},
      {Field::require_encrypted_response, settings.require_encrypted_response},
      {Field::retry, Json::parse(retry_json(settings.retry))},
      {Field::timeout_ms, settings.timeout.count()},
      {Field::max_in_flight, settings.max_in_flight},
      {Field::rate_limit_per_second,
       settings.rate_limit_per_second ? Json(*settings.rate_limit_per_second) : Json()},
      {Field::ordering, to_text(settings.ordering)},
      {Field::on_dead_letter, to_text(settings.on_dead_letter)},
      {Field::validation, validation_json(endpoint)},
      {Field::headers, std::move(headers)},
      {Field::metadata, Json(settings.metadata)},
      {Field::created_at, to_rfc3339(endpoint.created_at)},
      {Field::updated_at, to_rfc3339(endpoint.updated_at)},
  };
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string endpoint_json(const Endpoint& endpoint) { return dump(to_json(endpoint)); }

std::string new_endpoint_json(const Endpoint& endpoint, const SecretText& secret) {
  Json json = to_json(endpoint);
  const SecretText shared = shared_part(signing_profile_of(endpoint.settings), secret);
  if (!shared.empty()) json[Field::secret] = shared.reveal();
  return dump(json);
}

std::string entity_tag(const Endpoint& endpoint) {
  return "\"v" + std::to_string(endpoint.version) + "\"";
}

}  // namespace sealpost
