// What clients say about an endpoint's validation, and what they are told.
#pragma once

#include "admin_api/json_value.h"
#include "core/endpoint.h"

namespace sealpost {

// {"kind": "cloudevents"}. Adds mistakes.
void read_validation(const JsonField& field, ValidationKind& kind);

// Whether receivers can be asked so, given the other settings. `origin`: the name that we have for
// the validation cloudevents, empty if none.
void check_validation(const EndpointSettings& settings, const SigningProfile& profile,
                      const std::string& origin, Mistakes& mistakes);

}  // namespace sealpost
