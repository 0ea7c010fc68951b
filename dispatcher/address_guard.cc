#include "dispatcher/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/url.h"

namespace sealpost {

std::optional<SocketAddress> SocketAddress::from(const sockaddr& address) {
  // Copied: the callers' bytes need not be aligned for the larger types.
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    return SocketAddress{IpAddress::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof(v6));
    return SocketAddress{IpAddress::v6_from(v6.sin6_addr.s6_addr), ntohs(v6.sin6_port)};
  }
  return std::nullopt;
}

std::optional<SocketAddress> SocketAddress::from(std::string_view ip, int port) {
  const std::optional<IpAddress> parsed = IpAddress::parse(ip);
  if (!parsed) return std::nullopt;
  return SocketAddress{*parsed, static_cast<std::uint16_t>(port)};
}

std::string SocketAddress::text() const {
  const std::string port_text = ":" + std::to_string(port);
  return ip.v6 ? "[" + ip.text() + "]" + port_text : ip.text() + port_text;
}

AddressGuard::AddressGuard(AddressPolicy policy, const std::optional<std::string>& proxy)
    : policy_(std::move(policy)) {
  if (!proxy) return;
  const std::optional<UrlParts> url = parse_url(*proxy);
  if (!url || (url->scheme != "http" && url->scheme != "https")) {
    throw std::invalid_argument("the proxy must be a URL like http://proxy.example:4750");
  }
  std::string_view host = url->host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  // Without a port libcurl would take 1080 for a proxy, the URL parser 80: two opinions are one too
  // many.
  if (!url->port_given) throw std::invalid_argument("the proxy's URL must name its port");
  proxy_ = Proxy{IpAddress::parse(host), url->port};
}

bool AddressGuard::allows(const SocketAddress& address) const {
  if (!proxy_) return !policy_.refusal(address.ip);
  const bool same_ip =
      !proxy_->ip || (proxy_->ip->v6 == address.ip.v6 && proxy_->ip->bytes == address.ip.bytes);
  return same_ip && proxy_->port == address.port;
}

}  // namespace sealpost
