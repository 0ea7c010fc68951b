// The payload of all benchmarks: 1,024 bytes of JSON.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace sealpost {

// An expression over the number n, which makes each payload different.
inline constexpr auto kPayloadSql =
    R"(('{"n":"' || lpad(n::text, 10, '0') || '","pad":"' || repeat('x', 997) || '"}')::json)";

// The same outside of the database.
inline std::string payload_of(std::int64_t n) {
  return fmt::format(R"({{"n":"{:010}","pad":"{}"}})", n, std::string(997, 'x'));
}

}  // namespace sealpost
