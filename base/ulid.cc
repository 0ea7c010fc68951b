#include "base/ulid.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"

namespace sealpost {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford: no I, L, O, U
constexpr std::size_t kTimeDigits = 10;
constexpr std::size_t kUlidDigits = 26;

void append_time(WallTime time, std::string& text) {
  const auto since_epoch = std::chrono::floor<Milliseconds>(time).time_since_epoch().count();
  CHECK(since_epoch >= 0 && since_epoch < (1LL << 48), "a ULID's time is 48 bits of milliseconds");
  for (int shift = 45; shift >= 0; shift -= 5) text.push_back(kDigits[since_epoch >> shift & 31]);
}

}  // namespace

std::string new_ulid(std::string_view prefix, WallTime time, Random& random) {
  std::string text;
  text.reserve(prefix.size() + kUlidDigits);
  text.append(prefix);
  append_time(time, text);
  // One byte per digit, of which five bits are used: simpler than cutting 80 bits into fives.
  std::array<std::byte, kUlidDigits - kTimeDigits> bytes;
  random.fill(bytes);
  for (const std::byte byte : bytes) text.push_back(kDigits[std::to_integer<unsigned>(byte) & 31]);
  return text;
}

std::string ulid_time_text(WallTime time) {
  std::string text;
  append_time(time, text);
  return text;
}

bool is_prefixed_ulid(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return text.size() == kUlidDigits &&
         text.front() <= '7' &&  // 26 digits hold 130 bits, a ULID 128
         std::all_of(text.begin(), text.end(),
                     [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

}  // namespace sealpost
