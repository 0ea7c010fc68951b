// The parts of bodies that are about encryption: an endpoint's `encryption`, and new keys.
//
// Errors: mistakes are added to the field's list; read_new_key() throws Problem.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin_api/json_value.h"
#include "core/endpoint.h"

namespace sealpost {

// {"public_key": …, "key_type": "x25519", "enabled": …, "enc_header": …, "reuse_ephemeral_keys":
// …}, each optional. Giving a key enables encryption unless "enabled" says otherwise.
void read_encryption(const JsonField& field, EncryptionSettings& settings);

struct EncryptionKeyDraft {
  std::optional<std::string> tenant;  // as given
  std::optional<std::string> endpoint_id;
  std::string public_key;
  std::string label;
};
EncryptionKeyDraft read_new_key(std::string_view body);

}  // namespace sealpost
