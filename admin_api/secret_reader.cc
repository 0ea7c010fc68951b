#include "admin_api/secret_reader.h"

#include <algorithm>
#include <utility>

#include "admin_api/field_names.h"
#include "admin_api/problem.h"
#include "admin_api/signing_reader.h"
#include "core/limits.h"
#include "core/sealed_json.h"

namespace sealpost {
namespace {

constexpr std::size_t kMaxIdLength = 64;

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::optional<SecretText> read_given_secret(const JsonField& field,
                                            const std::optional<SigningProfile>& profile) {
  const auto text = field.text({.min = kMinGivenSecretLength, .max = kMaxGivenSecretLength});
  if (!text) return std::nullopt;
  if (!is_visible(*text)) {
    field.mistake("invalid_value", "A secret is visible ASCII characters without spaces.");
    return std::nullopt;
  }
  if (profile && profile->sealed_json && !decode_sealed_json_secret(SecretText(*text))) {
    field.mistake("invalid_value", "This profile's secrets are rfsec_ and the base64 of 64 bytes.");
    return std::nullopt;
  }
  // Standard Webhooks' libraries take secrets without the prefix too; people tell them by it.
  const bool must_have_prefix = profile && profile->secret_decoding == SecretDecoding::whsec_base64;
  if (must_have_prefix && !text->starts_with("whsec_")) {
    field.mistake("invalid_value",
                  "This profile's secrets are whsec_ and the base64 of 24 to 64 bytes.");
    return std::nullopt;
  }
  return SecretText(*text);
}

RotationBody read_rotation(std::string_view body, EndpointIdField endpoint_id) {
  RotationBody rotation;
  rotation.grace = kDefaultSecretGrace;
  if (body.empty()) return rotation;
  Mistakes mistakes;
  const JsonValue root = parse_json(body, mistakes);
  JsonObject object(JsonField(root, "", mistakes));
  const auto find = [&](const char* name) {
    const auto field = object.find(name);
    return field && !field->is_null() ? field : std::nullopt;
  };
  if (const auto field = find(Field::reason)) {
    rotation.reason = field->text({.max = kMaxStatusReasonLength}).value_or("");
  }
  if (const auto field = find(Field::grace_period_seconds)) {
    rotation.grace = std::chrono::seconds(field->integer(0, kMaxSecretGrace.count()).value_or(0));
  }
  if (const auto field = find(Field::force)) rotation.force = field->flag().value_or(false);
  if (const auto field = find(Field::secret)) {
    rotation.secret = read_given_secret(*field, std::nullopt);
  }
  if (endpoint_id == EndpointIdField::allowed) {
    if (const auto field = find(Field::endpoint_id)) {
      rotation.endpoint_id = field->text({.min = 1, .max = kMaxIdLength});
    }
  }
  object.refuse_unknown();
  if (!mistakes.empty()) throw Problem(std::move(mistakes));
  return rotation;
}

void check_secret(const SecretText& secret, const EndpointSettings& settings) {
  Mistakes mistakes;
  const JsonValue value{std::string(secret.reveal())};
  read_given_secret(JsonField(value, Field::secret, mistakes), signing_profile_of(settings));
  if (mistakes.empty()) check_signing(settings, secret, true, mistakes);
  if (!mistakes.empty()) throw Problem(std::move(mistakes));
}

}  // namespace sealpost
