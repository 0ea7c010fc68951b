// Retry-After, as libcurl reads dates. Source: RFC 9110 section 10.2.3.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace sealpost {

// Seconds or an HTTP date, relative to `now`; not negative, at most kMaxRetryAfter. nullopt if it
// is neither.
std::optional<Milliseconds> parse_retry_after(std::string_view value, WallTime now);

}  // namespace sealpost
