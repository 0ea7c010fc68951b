#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "tests/tidy/source_rules.h"

namespace sealpost {
namespace {

// Length of the comment or literal that `rest` begins with; 0 if it begins with neither.
std::size_t blank_length(std::string_view rest, char before) {
  const auto through = [&](std::string_view end, std::size_t from) {
    const std::size_t at = rest.find(end, from);
    return at == std::string_view::npos ? rest.size() : at + end.size();
  };
  if (rest.starts_with("//")) return std::min(rest.find('\n'), rest.size());
  if (rest.starts_with("/*")) return through("*/", 2);
  if (rest.starts_with("R\"")) {
    const std::string delimiter(rest.substr(2, rest.find('(') - 2));
    return through(")" + delimiter + "\"", 2);
  }
  // 1'000: a quote after a digit separates digits.
  const bool is_character =
      rest.starts_with('\'') && std::isalnum(static_cast<unsigned char>(before)) == 0;
  if (!rest.starts_with('"') && !is_character) return 0;
  std::size_t at = 1;
  while (at < rest.size() && rest[at] != rest[0]) at += rest[at] == '\\' ? 2 : 1;
  return std::min(at + 1, rest.size());
}

}  // namespace

std::string code_only(std::string_view text) {
  std::string code(text);
  char before = '\0';
  for (std::size_t at = 0; at < code.size();) {
    const std::size_t length = blank_length(text.substr(at), before);
    for (std::size_t i = at; i < at + length; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    before = length == 0 ? text[at] : ' ';
    at += length == 0 ? 1 : length;
  }
  return code;
}

}  // namespace sealpost
