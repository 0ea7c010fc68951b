// Between an endpoint's settings and the columns that hold them.
//
// The column `retry` is jsonb, in one of two forms:
//   {"preset": "standard"}                          everything as the preset says, now and later
//   {"delays_ms": [1000, 5000], "jitter": 0.2, "end_on": [410], "end_on_4xx": false, "retry_on":
//   [],
//    "disable_endpoint_on_gone": false}             an own list
// A preset is stored by name, so that a corrected preset reaches every endpoint that uses it.
//
// The column `signing` is jsonb likewise: {"profile": "standard"}, or {"custom": {…}} with the
// fields of core/signing_profile_json.h.
//
// Errors: std::runtime_error naming the column when a stored value cannot be read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_text.h"
#include "core/endpoint.h"
#include "core/retry_policy.h"

namespace sealpost {

std::string retry_to_json(const RetryPolicy& policy);
RetryPolicy retry_from_json(std::string_view json);

std::string signing_to_json(const EndpointSettings& settings);
void read_signing(std::string_view json, EndpointSettings& settings);

std::string metadata_to_json(const std::map<std::string, std::string>& metadata);
std::map<std::string, std::string> metadata_from_json(std::string_view json);

// The plaintext of the encrypted column `headers`.
SecretText headers_to_json(const std::map<std::string, SecretText>& headers);
std::map<std::string, SecretText> headers_from_json(const SecretText& json);

// The result of to_json(enabled_events).
std::vector<std::string> strings_from_json(std::string_view json);

}  // namespace sealpost
