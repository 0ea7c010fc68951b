// Which IP addresses may be called. Private, special and platform ranges are refused unless an
// operator opened them; cloud metadata addresses are refused even then.
//
// The judgment is over the binary address that is about to be connected to, never over text: names,
// decimal, octal and hexadecimal spellings all end here in the same form. IPv4-mapped addresses are
// judged as IPv4; every other IPv6 form that embeds an IPv4 address (compatible, NAT64, 6to4,
// Teredo) is refused as a whole.
//
// Sources: the IANA IPv4 and IPv6 special-purpose address registries as of 2025-10 (the table with
// names and RFCs is core/special_ranges.inc), RFC 5771, RFC 4291.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

// IPv4 addresses are stored in the last four bytes, IPv6 in all sixteen.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6_from(const std::uint8_t (&network_order)[16]);
  // Plain dotted quad or RFC 4291 text, no brackets, no scope. nullopt otherwise.
  static std::optional<IpAddress> parse(std::string_view text);
  std::string text() const;
};

struct IpRange {
  IpAddress base;
  int prefix_length = 0;

  // "10.0.0.0/8", "fd00::/8", or a single address. nullopt if malformed or if bits behind the
  // prefix are set.
  static std::optional<IpRange> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
};

class AddressPolicy {
 public:
  explicit AddressPolicy(std::vector<IpRange> allowed = {});

  // nullopt: may be called. Otherwise the class of range that forbids it ("private", "loopback",
  // "metadata", …), for our own logs and metrics; receivers' owners only see blocked_by_policy.
  std::optional<std::string_view> refusal(const IpAddress& address) const;

 private:
  std::vector<IpRange> allowed_;
};

}  // namespace sealpost
