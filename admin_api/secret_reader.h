// What clients say about signing secrets.
//
// Errors: Problem (400 for broken JSON, 422 for anything else that is wrong).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "admin_api/json_value.h"
#include "base/secret_text.h"
#include "core/endpoint.h"

namespace sealpost {

// A secret that is to be taken over. Adds a mistake unless it has a sensible length and only
// visible characters; with a profile, also what the profile's decoding wants of its form.
std::optional<SecretText> read_given_secret(const JsonField& field,
                                            const std::optional<SigningProfile>& profile);

struct RotationBody {
  std::string reason;
  std::chrono::seconds grace{0};
  bool force = false;
  std::optional<SecretText> secret;        // as given; check_secret() comes later
  std::optional<std::string> endpoint_id;  // as given
};

// Empty, or an object. Only the call that names no endpoint in its path takes one in its body.
enum class EndpointIdField { allowed, unknown };
RotationBody read_rotation(std::string_view body, EndpointIdField endpoint_id);

// Throws Problem unless requests with these settings can be signed with it.
void check_secret(const SecretText& secret, const EndpointSettings& settings);

}  // namespace sealpost
