#include "base/clock.h"

#include "base/check.h"

namespace sealpost {
namespace {

void put_digits(char* at, int count, unsigned value) {
  for (int i = count - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

WallTime SystemClock::wall_now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MonotonicTime SystemClock::monotonic_now() const { return std::chrono::steady_clock::now(); }

// By hand: g++ 12 has no std::format for chrono, and fmt's takes a microsecond, in every log line.
std::string to_rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const int year = static_cast<int>(date.year());
  CHECK(year >= 0 && year <= 9999, "RFC 3339 has four digits for the year");
  const std::chrono::hh_mm_ss<Milliseconds> clock(std::chrono::floor<Milliseconds>(time - day));
  std::string text = "0000-00-00T00:00:00.000Z";
  put_digits(&text[0], 4, static_cast<unsigned>(year));
  put_digits(&text[5], 2, static_cast<unsigned>(date.month()));
  put_digits(&text[8], 2, static_cast<unsigned>(date.day()));
  put_digits(&text[11], 2, static_cast<unsigned>(clock.hours().count()));
  put_digits(&text[14], 2, static_cast<unsigned>(clock.minutes().count()));
  put_digits(&text[17], 2, static_cast<unsigned>(clock.seconds().count()));
  put_digits(&text[20], 3, static_cast<unsigned>(clock.subseconds().count()));
  return text;
}

}  // namespace sealpost
