// Opens an encrypted body the way a receiver should: for `sealpost listen` and `sealpost verify`.
// core/encryption.h says what such a body looks like.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/secret_text.h"

namespace sealpost {

struct NotEncrypted {};
struct NotOpened {
  std::string problem;
};
struct OpenedBody {
  SecretText text;
  std::string key_id;  // "whk_…"
};

// `enc` is that component of the signature header, empty if there is none. It is not signed, so the
// body alone decides; but if it carries a box, it must be the body's. `private_key`: 32 bytes.
std::variant<NotEncrypted, NotOpened, OpenedBody> open_body(
    std::string_view body, std::string_view enc, const std::optional<SecretText>& private_key);

}  // namespace sealpost
