// Parsing of URLs by libcurl's own parser, so that what is checked is what is connected to (two
// parsers of one URL are how address filters are bypassed). Syntax only; which URLs an endpoint may
// have is core/url_rules.h. Source: curl_url(3), RFC 3986.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sealpost {

struct UrlParts {
  std::string scheme;  // lower case
  std::string user;
  std::string password;
  std::string host;        // as libcurl normalizes it; an IPv6 literal keeps its brackets
  std::uint16_t port = 0;  // explicit or the scheme's default
  bool port_given = false;
  std::string path;   // at least "/"
  std::string query;  // without "?"
  std::string fragment;
};

// nullopt if libcurl would refuse it.
std::optional<UrlParts> parse_url(std::string_view url);

}  // namespace sealpost
