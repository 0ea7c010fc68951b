#include "core/header_rules.h"

#include <algorithm>

#include "core/limits.h"

namespace sealpost {
namespace {

constexpr size_t kMaxHeaderNameLength = 256;

constexpr std::string_view kTransportHeaders[] = {
    "Host", "Content-Length", "Transfer-Encoding", "Connection",     "Keep-Alive", "Expect",
    "TE",   "Trailer",        "Upgrade",           "HTTP2-Settings",
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token_character(char c) {
  if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool is_header_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxHeaderNameLength &&
         std::all_of(name.begin(), name.end(), is_token_character);
}

bool is_header_value(std::string_view value, std::size_t max_length) {
  if (value.empty() || value.size() > max_length) return false;
  if (is_blank(value.front()) || is_blank(value.back())) return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
}

bool same_header_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool is_transport_header(std::string_view name) {
  if (same_header_name(name.substr(0, 6), "Proxy-")) return true;
  return std::any_of(std::begin(kTransportHeaders), std::end(kTransportHeaders),
                     [name](std::string_view own) { return same_header_name(name, own); });
}

}  // namespace sealpost
