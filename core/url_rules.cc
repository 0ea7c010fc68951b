#include "core/url_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/url.h"
#include "core/limits.h"

namespace sealpost {
namespace {

// Names that mean something inside a network only. ".internal" and ".home.arpa" are reserved for
// that (ICANN 2024, RFC 8375), the others are what routers and companies use.
constexpr std::string_view kLocalSuffixes[] = {
    "localhost", "localdomain", "local", "internal", "intranet",
    "lan",       "home.arpa",   "home",  "corp",     "private",
};

// Names of cloud metadata services: never, whatever an operator opens.
constexpr std::string_view kRefusedNames[] = {
    "metadata",      "metadata.google.internal",   "metadata.goog",
    "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com",
};

// Ports over 1023 where something else than HTTP usually listens that a POST could harm or probe:
// from the Fetch standard's bad ports, and the common databases and queues.
constexpr std::uint16_t kForeignPorts[] = {
    1433, 1521, 1719, 1720, 1723, 2049, 3306, 3389, 3659,  4045,  4190,
    5060, 5061, 5432, 5672, 5900, 6000, 6379, 6566, 6665,  6666,  6667,
    6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300, 10080, 11211, 27017,
};

constexpr std::uint16_t kFirstUserPort = 1024;
constexpr size_t kMaxNameLength = 253;  // RFC 1035, as text
constexpr size_t kMaxLabelLength = 63;

// The same sentence for whatever is not public, so that it says nothing about what exists inside.
constexpr const char* kNotPublic =
    "url names an address that is not public; use the receiver's public name, or have an operator "
    "open its range with SEALPOST_ALLOW_RANGES";
constexpr const char* kBadHost =
    "url has no valid host; write a name like hooks.example.com, international names in their xn-- "
    "form";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_character(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

bool has_prefix_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(),
                                                    [](char a, char b) { return a == lower(b); });
}

// "user@host:1" of "https://user@host:1/path".
std::string_view authority_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

// What can be said about the text before any parser sees it.
std::optional<std::string> text_error(std::string_view url, const UrlRules& rules) {
  if (url.empty()) return "url is empty; give the receiver's https:// address";
  if (url.size() > kMaxUrlLength) {
    return fmt::format("url has {} characters; at most {} are allowed", url.size(), kMaxUrlLength);
  }
  // Backslashes: some parsers read "\" as "/", so that the host would be a matter of opinion.
  const bool clean =
      std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
  if (!clean) {
    return "url contains a space, a backslash, a control or a non-ASCII character; percent-encode "
           "it, and write international names in their xn-- form";
  }
  const bool is_http = has_prefix_ignoring_case(url, "http://");
  if (!has_prefix_ignoring_case(url, "https://") && !(is_http && rules.allow_http)) {
    return is_http
               ? "url must begin with https://; an operator can allow http with SEALPOST_ALLOW_HTTP"
               : "url must begin with https://";
  }
  if (url.find('#') != std::string_view::npos) {
    return "url has a fragment, which is never sent; remove everything from the # on";
  }
  const std::string_view authority = authority_of(url);
  if (authority.find('@') != std::string_view::npos) {
    return "url contains a user name or password; remove it and send credentials in a header";
  }
  if (authority.empty() || authority.find('%') != std::string_view::npos) return kBadHost;
  return std::nullopt;
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > kMaxNameLength) return false;
  while (true) {
    const size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabelLength) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), is_name_character)) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

// No top-level domain begins with a digit: such a host is an IPv4 address in some spelling.
bool looks_like_ipv4(std::string_view host) {
  const size_t dot = host.rfind('.');
  return is_digit(host[dot == std::string_view::npos ? 0 : dot + 1]);
}

bool has_suffix(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  return name.size() == suffix.size() || name[name.size() - suffix.size() - 1] == '.';
}

bool is_local_name(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return true;
  return std::any_of(std::begin(kLocalSuffixes), std::end(kLocalSuffixes),
                     [name](std::string_view suffix) { return has_suffix(name, suffix); });
}

// ".onion" names must not leak to a resolver (RFC 7686).
bool is_refused_name(std::string_view name) {
  return has_suffix(name, "onion") || std::find(std::begin(kRefusedNames), std::end(kRefusedNames),
                                                name) != std::end(kRefusedNames);
}

// libcurl 7.88 turns decimal, octal, hexadecimal and short spellings into dotted quads, but not
// when a dot follows ("2130706433."). Resolvers read those as inet_aton does.
std::optional<IpAddress> ipv4_of(const std::string& host) {
  in_addr address{};
  if (inet_aton(host.c_str(), &address) == 0) return std::nullopt;
  return IpAddress::v4(ntohl(address.s_addr));
}

// What a host turns out to be. `error` or `is_inside`.
struct HostVerdict {
  std::optional<std::string> error{};
  bool is_inside = false;  // in a range that an operator opened: any port will do
};

HostVerdict judge_address(const std::optional<IpAddress>& address, const UrlRules& rules) {
  if (!address) return {.error = kBadHost};
  if (AddressPolicy(rules.allowed_ranges).refusal(*address)) return {.error = kNotPublic};
  const bool is_special = AddressPolicy().refusal(*address).has_value();
  return {.is_inside = is_special};
}

HostVerdict judge_host(std::string host, const UrlRules& rules) {
  if (host.starts_with('[')) {
    return judge_address(IpAddress::parse(std::string_view(host).substr(1, host.size() - 2)),
                         rules);
  }
  std::transform(host.begin(), host.end(), host.begin(), lower);
  if (host.ends_with('.')) host.pop_back();
  if (!is_name(host)) return {.error = kBadHost};
  if (looks_like_ipv4(host)) return judge_address(ipv4_of(host), rules);
  if (is_refused_name(host)) return {.error = kNotPublic};
  if (!is_local_name(host)) return {};
  if (rules.allowed_ranges.empty()) return {.error = kNotPublic};
  return {.is_inside = true};
}

std::optional<std::string> port_error(const UrlParts& parts) {
  const std::uint16_t usual = parts.scheme == "https" ? 443 : 80;
  if (parts.port == usual) return std::nullopt;
  const bool is_foreign = std::find(std::begin(kForeignPorts), std::end(kForeignPorts),
                                    parts.port) != std::end(kForeignPorts);
  if (parts.port >= kFirstUserPort && !is_foreign) return std::nullopt;
  return fmt::format(
      "url has port {}, which belongs to another service; use {} or a port from {} on that is not "
      "assigned to one",
      parts.port, usual, kFirstUserPort);
}

}  // namespace

std::optional<std::string> url_error(std::string_view url, const UrlRules& rules) {
  if (auto error = text_error(url, rules)) return error;
  const std::optional<UrlParts> parts = parse_url(url);
  if (!parts) return "url cannot be parsed; write it like https://hooks.example.com/path";
  if (parts->port == 0) return "url has port 0; leave the port out or give another";

  const HostVerdict verdict = judge_host(parts->host, rules);
  if (verdict.error) return verdict.error;
  if (verdict.is_inside) return std::nullopt;
  return port_error(*parts);
}

}  // namespace sealpost
