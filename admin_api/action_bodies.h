// The small bodies of calls that do something with an object (…/disable, …/replay).
//
// Errors: Problem (400 for broken JSON, 422 for anything else that is wrong).
#pragma once

#include <string>
#include <string_view>

namespace sealpost {

// {"reason": "…"} or nothing at all.
std::string read_status_reason(std::string_view body);

// For calls whose body has nothing to say: empty or {}.
void require_no_fields(std::string_view body);

}  // namespace sealpost
