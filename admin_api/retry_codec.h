// Retry policies as the API writes them:
//   {"preset": "standard"}
//   {"delays_seconds": [1, 5, 30.5], "jitter": 0.2, "end_on": [410, "4xx"], "retry_on": [408]}
// Answers carry `max_attempts` as well; it may be sent back unchanged, but not chosen.
//
// This header names the JSON library's types nowhere: values are read from a JsonField, written as
// text.
#pragma once

#include <optional>
#include <string>

#include "admin_api/json_value.h"
#include "core/retry_policy.h"

namespace sealpost {

// nullopt after adding at least one mistake.
std::optional<RetryPolicy> read_retry(const JsonField& field);
std::string retry_json(const RetryPolicy& policy);

}  // namespace sealpost
