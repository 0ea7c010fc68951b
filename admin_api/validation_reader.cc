#include "admin_api/validation_reader.h"

#include "admin_api/field_names.h"

namespace sealpost {
namespace {

constexpr const char* kReadOnly[] = {Field::state, Field::reason, Field::asked_at,
                                     Field::allowed_per_minute};

std::string path_of_kind() { return std::string(Field::validation) + "." + Field::kind; }

}  // namespace

void read_validation(const JsonField& field, ValidationKind& kind) {
  JsonObject object(field);
  if (!object.valid()) return;
  for (const char* name : kReadOnly) {
    if (const auto given = object.find(name)) {
      given->mistake("read_only", std::string(name) + " is set by the service; leave it out.");
    }
  }
  const auto given = object.find(Field::kind);
  object.refuse_unknown();
  if (!given) {
    return field.mistake_at(Field::kind, "required", "kind must be given.");
  }
  const auto text = given->text({.min = 1, .max = 64});
  if (!text) return;
  if (const auto known = validation_kind_from_text(*text)) {
    kind = *known;
  } else {
    given->mistake("invalid_value", "kind must be none, cloudevents or challenge.");
  }
}

void check_validation(const EndpointSettings& settings, const SigningProfile& profile,
                      const std::string& origin, Mistakes& mistakes) {
  if (settings.validation == ValidationKind::cloudevents && origin.empty()) {
    mistakes.push_back({"invalid_value", path_of_kind(),
                        "Receivers are asked under a DNS name of the sender, and this installation "
                        "has none: set SEALPOST_WEBHOOK_ORIGIN."});
  }
  if (settings.validation == ValidationKind::challenge && !is_hmac(profile.algorithm)) {
    mistakes.push_back({"invalid_value", path_of_kind(),
                        "The challenge is answered with an HMAC under the endpoint's secret, and "
                        "the signing profile " +
                            profile.name +
                            " has no such secret; choose another profile or another kind."});
  }
}

}  // namespace sealpost
