#include "admin_api/encryption_reader.h"

#include "admin_api/field_names.h"
#include "base/ulid.h"
#include "core/limits.h"

namespace sealpost {
namespace {

constexpr std::size_t kMaxKeyTextLength = 1000;  // PEM with its lines takes 119

std::optional<std::string> read_public_key(const JsonField& field) {
  const auto text = field.text({.min = 1, .max = kMaxKeyTextLength, .kind = TextKind::lines});
  if (!text) return std::nullopt;
  auto parsed = parse_public_key(*text);
  if (const auto* error = std::get_if<KeyError>(&parsed)) {
    field.mistake("invalid_public_key", error->problem);
    return std::nullopt;
  }
  return std::get<std::string>(std::move(parsed));
}

void check_key_type(JsonObject& object) {
  const auto field = object.find(Field::key_type);
  if (!field || field->is_null()) return;
  const auto text = field->text({.min = 1, .max = 64});
  if (text && *text != kKeyType) {
    field->mistake("invalid_value", "The only key type is x25519; leave key_type out.");
  }
}

void read_flag(JsonObject& object, const char* name, bool& value) {
  const auto field = object.find(name);
  if (!field) return;
  if (field->is_null()) {
    value = false;
  } else if (const auto flag = field->flag()) {
    value = *flag;
  }
}

}  // namespace

void read_encryption(const JsonField& field, EncryptionSettings& settings) {
  JsonObject object(field);
  if (!object.valid()) return;
  check_key_type(object);
  if (const auto key = object.find(Field::public_key); key && !key->is_null()) {
    settings.new_public_key = read_public_key(*key);
    settings.enabled = true;
  }
  read_flag(object, Field::enabled, settings.enabled);
  read_flag(object, Field::reuse_ephemeral_keys, settings.reuse_ephemeral_keys);
  if (const auto rule = object.find(Field::enc_header)) {
    if (rule->is_null()) {
      settings.enc_header = EncHeader::automatic;
    } else if (const auto text = rule->text({.min = 1, .max = 64})) {
      const auto known = enc_header_from_text(*text);
      if (known) settings.enc_header = *known;
      if (!known) rule->mistake("invalid_value", "enc_header must be auto, full or body.");
    }
  }
  object.refuse_unknown();
}

EncryptionKeyDraft read_new_key(std::string_view body) {
  Mistakes mistakes;
  const JsonValue root = parse_json(body, mistakes);
  JsonObject object(JsonField(root, "", mistakes));
  EncryptionKeyDraft draft;
  check_key_type(object);
  const auto key = object.find(Field::public_key);
  if (key && !key->is_null()) {
    draft.public_key = read_public_key(*key).value_or("");
  } else if (object.valid()) {
    mistakes.push_back({"required", Field::public_key, "public_key must be given."});
  }
  if (const auto label = object.find(Field::label); label && !label->is_null()) {
    draft.label = label->text({.max = kMaxKeyLabelLength}).value_or("");
  }
  if (const auto tenant = object.find(Field::tenant); tenant && !tenant->is_null()) {
    draft.tenant = tenant->text({.min = 1, .max = kMaxTenantLength});
    if (draft.tenant && !is_tenant_name(*draft.tenant)) {
      tenant->mistake("invalid_value", "A tenant is letters, digits or _ . : @ -");
    }
  }
  if (const auto id = object.find(Field::endpoint_id); id && !id->is_null()) {
    draft.endpoint_id = id->text({.min = 1, .max = 64});
    if (draft.endpoint_id && !is_prefixed_ulid(*draft.endpoint_id, "we_")) {
      id->mistake("invalid_value", "An endpoint's id begins with we_ and has 26 more characters.");
    }
  }
  object.refuse_unknown();
  if (!mistakes.empty()) throw Problem(std::move(mistakes));
  return draft;
}

}  // namespace sealpost
