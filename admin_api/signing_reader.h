// The field `signing` of an endpoint: the name of a preset, or a custom profile.
#pragma once

#include <optional>

#include "admin_api/json_value.h"
#include "base/secret_text.h"
#include "core/endpoint.h"

namespace sealpost {

// "github", {"profile": "github"}, or {"custom": {…}}, whose name then is kCustomProfile. nullopt
// after adding a mistake.
std::optional<SigningProfile> read_signing_profile(const JsonField& field);

// Adds a mistake for each reason why requests with these settings could not be signed, sent or
// verified. `secret` is the endpoint's, or one of the same form; `secret_given`: by the caller.
void check_signing(const EndpointSettings& settings, const SecretText& secret, bool secret_given,
                   Mistakes& mistakes);

// True if whatever secret fits `before` fits `after` as well: a PATCH keeps the secret, which only
// the store knows.
bool keeps_secret(const SigningProfile& before, const SigningProfile& after);

}  // namespace sealpost
