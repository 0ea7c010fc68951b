#include "core/open_body.h"

#include <nlohmann/json.hpp>

#include "base/box.h"
#include "base/bytes.h"
#include "core/encryption_key.h"

namespace sealpost {
namespace {

using nlohmann::json;

std::string text_member(const json& object, const char* name) {
  if (!object.is_object()) return "";
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_for(const json& recipient, const std::string& fingerprint) {
  return text_member(recipient, "key_fingerprint") == fingerprint;
}

// The part of the body that is for this key: its own members, or one of its recipients.
const json* part_for(const json& body, const std::string& fingerprint) {
  if (is_for(body, fingerprint)) return &body;
  const auto recipients = body.find("recipients");
  if (recipients == body.end() || !recipients->is_array()) return nullptr;
  for (const json& recipient : *recipients) {
    if (is_for(recipient, fingerprint)) return &recipient;
  }
  return nullptr;
}

}  // namespace

std::variant<NotEncrypted, NotOpened, OpenedBody> open_body(
    std::string_view body, std::string_view enc, const std::optional<SecretText>& private_key) {
  const json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object() || parsed.value("encrypted", json()) != json(true)) {
    if (enc.empty()) return NotEncrypted{};
    return NotOpened{"the header says that the body is encrypted, and it is not"};
  }
  if (!enc.empty() && enc != "body" && enc != text_member(parsed, "ciphertext")) {
    return NotOpened{"the box in the header is not the one in the body"};
  }
  if (!private_key) return NotOpened{"no private key was given"};
  const std::string fingerprint = key_fingerprint(box_public_key(*private_key));
  const json* const part = part_for(parsed, fingerprint);
  if (part == nullptr) {
    return NotOpened{"the body is for other keys than this one, whose fingerprint is " +
                     fingerprint};
  }
  const auto box = base64_decode(text_member(*part, "ciphertext"));
  auto text = box ? open_box(*box, *private_key) : std::nullopt;
  if (!text) return NotOpened{"the box does not open: it was damaged"};
  return OpenedBody{.text = *std::move(text), .key_id = text_member(*part, "hmac_key_id")};
}

}  // namespace sealpost
