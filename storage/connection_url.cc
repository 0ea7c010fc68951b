#include "storage/connection_url.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace sealpost {
namespace {

// A host that vanished without a word is noticed after 15 s instead of 15 minutes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kDefaults = {{
    {"connect_timeout", "5"},  // seconds, per host
    {"keepalives_idle", "5"},
    {"keepalives_interval", "3"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"},
}};

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += is_unreserved(c) ? std::string(1, c)
                            : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string quote_value(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// Where the query of a URI begins. Like libpq, a "?" inside the user information does not count.
std::size_t query_position(std::string_view uri, std::size_t authority) {
  const std::size_t user_end = uri.find_first_of("@/", authority);
  const bool has_user = user_end != uri.npos && uri[user_end] == '@';
  return uri.find('?', has_user ? user_end : authority);
}

}  // namespace

std::string connection_string(const DatabaseOptions& options) {
  const std::string& url = options.url;
  const std::size_t scheme_end = url.find("://");
  const bool is_uri = scheme_end != url.npos && url.substr(0, 8) == "postgres";
  // libpq lets a later setting overwrite an earlier one, so ours come first.
  std::string ours = is_uri ? "application_name=" + percent_encode(options.application_name)
                            : "application_name=" + quote_value(options.application_name);
  for (const auto& [key, value] : kDefaults)
    ours += fmt::format("{}{}={}", is_uri ? '&' : ' ', key, value);
  if (!is_uri) return ours + " " + url;
  const std::size_t query = query_position(url, scheme_end + 3);
  if (query == url.npos) return url + "?" + ours;
  return url.substr(0, query + 1) + ours + "&" + url.substr(query + 1);
}

}  // namespace sealpost
