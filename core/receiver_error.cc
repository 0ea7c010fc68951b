#include "core/receiver_error.h"

#include <nlohmann/json.hpp>

#include "core/words.h"

namespace sealpost {
namespace {

using nlohmann::json;

constexpr Word<ReceiverErrorCode> kCodes[] = {
    {ReceiverErrorCode::webhook_signature_invalid, "webhook_signature_invalid"},
    {ReceiverErrorCode::webhook_decryption_failed, "webhook_decryption_failed"},
};

// Most refusals are pages for people; these need no parser.
bool looks_like_an_object(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '{';
}

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string_view to_text(ReceiverErrorCode code) { return text_of(kCodes, code); }

std::optional<ReceiverErrorCode> receiver_error_code_from_text(std::string_view text) {
  return value_of(kCodes, text);
}

std::optional<ReceiverErrorCode> read_receiver_error(std::string_view body) {
  if (!looks_like_an_object(body)) return std::nullopt;
  const json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  const json* const error = member(parsed, "error");
  const json* const code = error == nullptr ? nullptr : member(*error, "code");
  if (code == nullptr || !code->is_string()) return std::nullopt;
  return receiver_error_code_from_text(code->get_ref<const std::string&>());
}

int status_code_of(ReceiverErrorCode code) {
  return code == ReceiverErrorCode::webhook_signature_invalid ? 401 : 422;
}

std::string receiver_error_body(ReceiverErrorCode code, std::string_view message) {
  const json body = {{"error", {{"code", to_text(code)}, {"message", message}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace sealpost
