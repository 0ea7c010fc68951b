// A custom signing profile as JSON, with the names that the API uses (docs/SIGNING.md). Fields with
// their default value are left out.
#pragma once

#include <string>
#include <string_view>

#include "core/signing_profile.h"

namespace sealpost {

std::string signing_profile_json(const SigningProfile& profile);
// The profile's name is kCustomProfile (core/endpoint.h). Throws std::runtime_error naming the
// field if it is not what signing_profile_json() writes.
SigningProfile signing_profile_from_json(std::string_view json);

}  // namespace sealpost
