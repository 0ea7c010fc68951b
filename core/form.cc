#include "core/form.h"

#include <set>
#include <utility>

#include "base/bytes.h"
#include "core/header_rules.h"

namespace sealpost {
namespace {

// What stands before the next `separator`, which is taken away with it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(part.size());
  if (!text.empty()) text.remove_prefix(1);
  return part;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '%') {
      const auto byte = text.size() < 2 ? std::nullopt : hex_decode(text.substr(0, 2));
      if (!byte) return std::nullopt;
      result += *byte;
      text.remove_prefix(2);
    } else {
      result += c == '+' ? ' ' : c;
    }
  }
  if (!is_utf8(result)) return std::nullopt;
  return result;
}

}  // namespace

bool is_form_type(std::string_view content_type) {
  std::string_view type = take_until(content_type, ';');
  while (type.ends_with(' ')) type.remove_suffix(1);
  return same_header_name(type, "application/x-www-form-urlencoded");
}

std::optional<std::string> sorted_form(std::string_view body) {
  std::set<std::pair<std::string, std::string>> fields;
  while (!body.empty()) {
    std::string_view value = take_until(body, '&');
    if (value.empty()) continue;
    const std::string_view name = take_until(value, '=');
    auto field = std::pair(decoded(name), decoded(value));
    if (!field.first || !field.second) return std::nullopt;
    fields.emplace(*std::move(field.first), *std::move(field.second));
  }
  std::string text;
  for (const auto& [name, value] : fields) text.append(name).append(value);
  return text;
}

}  // namespace sealpost
