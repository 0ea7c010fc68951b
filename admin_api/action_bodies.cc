#include "admin_api/action_bodies.h"

#include "admin_api/field_names.h"
#include "admin_api/json_value.h"
#include "admin_api/problem.h"
#include "core/limits.h"

namespace sealpost {

std::string read_status_reason(std::string_view body) {
  if (body.empty()) return "";
  Mistakes mistakes;
  const JsonValue root = parse_json(body, mistakes);
  JsonObject object(JsonField(root, "", mistakes));
  std::string reason;
  if (const auto field = object.find(Field::reason); field && !field->is_null()) {
    reason = field->text({.max = kMaxStatusReasonLength}).value_or("");
  }
  object.refuse_unknown();
  if (!mistakes.empty()) throw Problem(std::move(mistakes));
  return reason;
}

void require_no_fields(std::string_view body) {
  if (body.empty()) return;
  Mistakes mistakes;
  const JsonValue root = parse_json(body, mistakes);
  JsonObject(JsonField(root, "", mistakes)).refuse_unknown();
  if (!mistakes.empty()) throw Problem(std::move(mistakes));
}

}  // namespace sealpost
