#include "dispatcher/curl_http_sender_retry_after.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "core/limits.h"

namespace sealpost {
namespace {

constexpr Milliseconds kLongest = kMaxRetryAfter;

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<Milliseconds> parse_retry_after(std::string_view value, WallTime now) {
  if (all_digits(value)) {
    long long seconds = 0;
    const auto [end, error] = std::from_chars(value.begin(), value.end(), seconds);
    const long long longest = std::chrono::seconds(kMaxRetryAfter).count();
    const bool too_large = error == std::errc::result_out_of_range || seconds > longest;
    return too_large ? kLongest : Milliseconds(std::chrono::seconds(seconds));
  }
  const time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date == -1) return std::nullopt;
  const auto wait = std::chrono::sys_seconds(std::chrono::seconds(date)) - now;
  return std::clamp(std::chrono::ceil<Milliseconds>(wait), Milliseconds{0}, kLongest);
}

}  // namespace sealpost
