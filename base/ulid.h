// ULIDs: 26 characters of Crockford base32, 48 bits of Unix milliseconds, then 80 random bits.
// Their text order is their time order. Source: https://github.com/ulid/spec
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace sealpost {

// `prefix` is put in front as it is ("we_"). Not monotonic within one millisecond.
std::string new_ulid(std::string_view prefix, WallTime time, Random& random);

// The first ten characters of every ULID made at `time` (truncated to the millisecond).
std::string ulid_time_text(WallTime time);

// True for exactly `prefix` followed by a valid ULID in upper case.
bool is_prefixed_ulid(std::string_view text, std::string_view prefix);

}  // namespace sealpost
