#include "core/rfc3339.h"

#include <cctype>
#include <ctime>
#include <string>

namespace sealpost {

std::optional<WallTime> parse_rfc3339_utc(std::string_view text) {
  std::tm time{};
  const std::string copy(text);
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) return std::nullopt;
  long microseconds = 0;
  if (*rest == '.') {
    long unit = 100'000;
    for (++rest; std::isdigit(static_cast<unsigned char>(*rest)) != 0; ++rest, unit /= 10) {
      microseconds += (*rest - '0') * unit;
    }
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  return WallTime(std::chrono::seconds(timegm(&time)) + std::chrono::microseconds(microseconds));
}

}  // namespace sealpost
