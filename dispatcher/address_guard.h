// Decides over an address right before it is connected to, or a kept connection to it is used
// again.
//
// Without a proxy that is the AddressPolicy. With one, only the proxy may be connected to, and it
// may well have a private address: given as an IP literal, exactly that address and port; given by
// name, its port (the name is resolved by libcurl, which in this mode connects to nothing else).
//
// Threads: immutable, safe from any.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/address_policy.h"

namespace sealpost {

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  // nullopt for anything but IPv4 and IPv6.
  static std::optional<SocketAddress> from(const sockaddr& address);
  static std::optional<SocketAddress> from(std::string_view ip, int port);
  bool operator==(const SocketAddress& other) const {
    return ip.v6 == other.ip.v6 && ip.bytes == other.ip.bytes && port == other.port;
  }
  std::string text() const;  // "203.0.113.7:443", "[2001:db8::1]:443"
};

class AddressGuard {
 public:
  // Throws std::invalid_argument if `proxy` is not an http:// or https:// URL of a host.
  AddressGuard(AddressPolicy policy, const std::optional<std::string>& proxy);

  bool allows(const SocketAddress& address) const;

 private:
  struct Proxy {
    std::optional<IpAddress> ip;
    std::uint16_t port = 0;
  };
  AddressPolicy policy_;
  std::optional<Proxy> proxy_;
};

}  // namespace sealpost
