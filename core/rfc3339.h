// Times as people and dialects write them. Source: RFC 3339, in UTC only.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace sealpost {

// "2026-11-22T10:15:30Z", with an optional fraction. nullopt if it is anything else.
std::optional<WallTime> parse_rfc3339_utc(std::string_view text);

}  // namespace sealpost
