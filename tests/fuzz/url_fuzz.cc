// URLs as strangers write them: what the rules accept leads to no address that is not public,
// however it is spelled. The resolver's own parser is the second opinion.
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/url.h"
#include "core/address_policy.h"
#include "core/url_rules.h"

namespace sealpost {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// What a resolver makes of a host without asking anybody; nullopt if it is a name.
std::optional<IpAddress> numeric_address(std::string host) {
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  if (list->ai_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(list->ai_addr);
    return IpAddress::v4(ntohl(v4->sin_addr.s_addr));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(list->ai_addr);
  return IpAddress::v6_from(v6->sin6_addr.s6_addr);
}

void check_url(std::string_view url) {
  static const UrlRules kStrict{};
  static const UrlRules kLax{.allow_http = true, .allowed_ranges = {*IpRange::parse("10.0.0.0/8")}};
  if (url_error(url, kStrict)) {
    url_error(url, kLax);
    return;
  }
  CHECK(!url_error(url, kLax), "an opened range forbids something");
  const auto parts = parse_url(url);
  CHECK(parts.has_value(), "libcurl would refuse what was accepted");
  CHECK(parts->scheme == "https", "not https");
  CHECK(parts->user.empty() && parts->password.empty(), "a user or password");
  CHECK(parts->fragment.empty(), "a fragment");
  if (const auto address = numeric_address(parts->host)) {
    CHECK(!AddressPolicy().refusal(*address), "an address that is not public");
  }
}

}  // namespace
}  // namespace sealpost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealpost::check_url({reinterpret_cast<const char*>(data), size});
  return 0;
}
