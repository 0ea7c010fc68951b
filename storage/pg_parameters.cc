#include "storage/pg_parameters.h"

#include <algorithm>

#include "base/bytes.h"

namespace sealpost {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the well-formed character at the start of `text`; 0 if there is none.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return length <= text.size() && is_utf8(text.substr(0, length)) ? length : 0;
}

bool is_clean(std::string_view text) { return text.find('\0') == text.npos && is_utf8(text); }

std::string bytea_text(std::string_view bytes) { return "\\x" + hex_encode(bytes); }

std::int64_t microseconds(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

std::string clean_text(std::string_view text) {
  if (is_clean(text)) return std::string(text);
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      clean += kReplacement;
    } else if (text[0] != '\0') {
      clean += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string& PgArray::next() {
  for (; nulls_ > 0; --nulls_) text_ += text_.empty() ? "{NULL" : ",NULL";
  return text_ += text_.empty() ? '{' : ',';
}

PgArray& PgArray::add(std::string_view text) {
  std::string cleaned;
  if (!is_clean(text)) text = cleaned = clean_text(text);
  std::string& out = next();
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return *this;
}

PgArray& PgArray::add(std::int64_t number) {
  next() += std::to_string(number);
  return *this;
}

PgArray& PgArray::add(WallTime time) { return add(microseconds(time)); }

PgArray& PgArray::add_flag(bool flag) {
  next() += flag ? 't' : 'f';
  return *this;
}

PgArray& PgArray::add_bytes(std::string_view bytes) {
  next() += "\"\\" + bytea_text(bytes) + '"';
  return *this;
}

PgArray& PgArray::add_null() {
  ++nulls_;
  return *this;
}

PgParameters& PgParameters::add(std::string_view text) {
  values_.emplace_back(clean_text(text));
  return *this;
}

PgParameters& PgParameters::add(std::int64_t number) {
  values_.emplace_back(std::to_string(number));
  return *this;
}

PgParameters& PgParameters::add(const PgArray& array) {
  values_.emplace_back(array.literal());
  return *this;
}

PgParameters& PgParameters::add(WallTime time) { return add(microseconds(time)); }

PgParameters& PgParameters::add_bytes(std::string_view bytes) {
  values_.emplace_back(bytea_text(bytes));
  return *this;
}

PgParameters& PgParameters::add_null() {
  values_.emplace_back();
  return *this;
}

}  // namespace sealpost
