#include "core/address_policy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace sealpost {
namespace {

constexpr size_t kV4Offset = 12;  // IPv4 addresses are stored in the last four bytes

enum class Opening { sealed, openable };

struct SpecialRange {
  Opening opening;
  IpRange range;
  std::string_view class_name;
};

IpRange range_of_table(std::string_view text) {
  const std::optional<IpRange> range = IpRange::parse(text);
  CHECK(range.has_value(), "core/special_ranges.inc has a malformed range");
  return *range;
}

const std::vector<SpecialRange>& special_ranges() {
  static const std::vector<SpecialRange> ranges = {
#define RANGE(opening, range, class_name, source) \
  {Opening::opening, range_of_table(range), class_name},
#include "core/special_ranges.inc"
#undef RANGE
  };
  return ranges;
}

bool is_v4_mapped(const IpAddress& address) {
  constexpr std::array<std::uint8_t, kV4Offset> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.v6 && std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin());
}

// ::ffff:10.0.0.1 connects to 10.0.0.1.
IpAddress canonical(IpAddress address) {
  if (!is_v4_mapped(address)) return address;
  address.v6 = false;
  std::fill_n(address.bytes.begin(), kV4Offset, std::uint8_t{0});
  return address;
}

int bits_of(const IpAddress& address) { return address.v6 ? 128 : 32; }

// The address with all bits behind the prefix cleared.
IpAddress network_of(IpAddress address, int prefix_length) {
  const size_t first = address.v6 ? 0 : kV4Offset;
  for (size_t i = first; i < address.bytes.size(); ++i) {
    const int kept = std::clamp(prefix_length - static_cast<int>(i - first) * 8, 0, 8);
    address.bytes[i] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
  return address;
}

std::optional<int> parse_prefix_length(std::string_view text) {
  int length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length < 0) return std::nullopt;
  return length;
}

bool any_contains(const std::vector<IpRange>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const IpRange& range) { return range.contains(address); });
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress address;
  for (size_t i = 0; i < 4; ++i) {
    address.bytes[kV4Offset + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return address;
}

IpAddress IpAddress::v6_from(const std::uint8_t (&network_order)[16]) {
  IpAddress address;
  address.v6 = true;
  std::copy(std::begin(network_order), std::end(network_order), address.bytes.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton takes a C string and would silently stop at a NUL.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), &address.bytes[kV4Offset]) == 1) return address;
  address.v6 = true;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string IpAddress::text() const {
  char text[INET6_ADDRSTRLEN] = "";
  const bool written =
      inet_ntop(v6 ? AF_INET6 : AF_INET, &bytes[v6 ? 0 : kV4Offset], text, sizeof text) != nullptr;
  CHECK(written, "every address has a text of at most INET6_ADDRSTRLEN characters");
  return text;
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpRange range{*address, bits_of(*address)};
  if (slash != std::string_view::npos) {
    const std::optional<int> length = parse_prefix_length(text.substr(slash + 1));
    if (!length || *length > range.prefix_length) return std::nullopt;
    range.prefix_length = *length;
  }
  if (network_of(range.base, range.prefix_length).bytes != range.base.bytes) return std::nullopt;
  // A range of mapped addresses means the IPv4 addresses in it, as for single addresses.
  constexpr int kMappedBits = 96;
  if (is_v4_mapped(range.base) && range.prefix_length >= kMappedBits) {
    return IpRange{canonical(range.base), range.prefix_length - kMappedBits};
  }
  return range;
}

bool IpRange::contains(const IpAddress& address) const {
  return address.v6 == base.v6 &&
         network_of(address, prefix_length).bytes == network_of(base, prefix_length).bytes;
}

AddressPolicy::AddressPolicy(std::vector<IpRange> allowed) : allowed_(std::move(allowed)) {}

std::optional<std::string_view> AddressPolicy::refusal(const IpAddress& address) const {
  const IpAddress judged = canonical(address);
  for (const SpecialRange& special : special_ranges()) {
    if (!special.range.contains(judged)) continue;
    // The table's order matters: sealed rows come before the openable ones that contain them.
    if (special.opening == Opening::openable && any_contains(allowed_, judged)) return std::nullopt;
    return special.class_name;
  }
  return std::nullopt;
}

}  // namespace sealpost
