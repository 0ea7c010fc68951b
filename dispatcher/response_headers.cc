#include "dispatcher/response_headers.h"

#include <algorithm>
#include <charconv>

namespace sealpost {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::equal(text.begin(), text.end(), lower_case.begin(),
                    [](char a, char b) { return lower(a) == b; });
}

std::string_view without_space(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::optional<int> status_of(std::string_view line) {
  if (!line.starts_with("HTTP/")) return std::nullopt;
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view digits = line.substr(space + 1, 3);
  int status = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), status);
  if (error != std::errc{} || end != digits.end() || status < 100) return std::nullopt;
  return status;
}

std::optional<std::string_view> header_value(std::string_view line,
                                             std::string_view lower_case_name) {
  if (line.size() <= lower_case_name.size() || line[lower_case_name.size()] != ':') {
    return std::nullopt;
  }
  if (!is_same(line.substr(0, lower_case_name.size()), lower_case_name)) return std::nullopt;
  return without_space(line.substr(lower_case_name.size() + 1));
}

bool is_media_type(std::string_view value, std::string_view lower_case_type) {
  return is_same(without_space(value.substr(0, value.find(';'))), lower_case_type);
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of("\r\n") == std::string_view::npos;
}

bool is_interim(int status_code) {
  constexpr int kSwitchingProtocols = 101;
  return status_code < 200 && status_code != kSwitchingProtocols;
}

}  // namespace sealpost
