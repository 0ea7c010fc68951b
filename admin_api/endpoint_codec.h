// Endpoints as the API writes them. Secrets never appear, except by new_endpoint_json(), once.
#pragma once

#include <string>

#include "core/endpoint.h"

namespace sealpost {

// Stands for a static header's value in answers; sent back in a PATCH it means "as it is".
inline constexpr char kHiddenValue[] = "***";

std::string endpoint_json(const Endpoint& endpoint);
// The answer to the creation, the only time that the secret is shown. Private keys never are: the
// receiver needs the public one.
std::string new_endpoint_json(const Endpoint& endpoint, const SecretText& secret);

// The version as a strong entity tag: "v3" with its quotes.
std::string entity_tag(const Endpoint& endpoint);

}  // namespace sealpost
