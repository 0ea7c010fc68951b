#include "core/address_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sealpost {
namespace {

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpAddress{});
}

std::string refusal(const AddressPolicy& policy, std::string_view text) {
  return std::string(policy.refusal(address(text)).value_or("allowed"));
}

AddressPolicy opened(std::initializer_list<std::string_view> ranges) {
  std::vector<IpRange> list;
  for (const std::string_view range : ranges) list.push_back(IpRange::parse(range).value());
  return AddressPolicy(std::move(list));
}

struct Block {
  std::string first;
  std::string last;
  std::string class_name;
};

const Block kV4Blocks[] = {
    {"0.0.0.0", "0.255.255.255", "this_network"},
    {"10.0.0.0", "10.255.255.255", "private"},
    {"100.64.0.0", "100.127.255.255", "shared"},
    {"100.100.100.200", "100.100.100.200", "metadata"},
    {"127.0.0.0", "127.255.255.255", "loopback"},
    {"168.63.129.16", "168.63.129.16", "metadata"},
    {"169.254.0.0", "169.254.255.255", "link_local"},
    {"169.254.169.254", "169.254.169.254", "metadata"},
    {"169.254.170.2", "169.254.170.2", "metadata"},
    {"169.254.170.23", "169.254.170.23", "metadata"},
    {"172.16.0.0", "172.31.255.255", "private"},
    {"192.0.0.0", "192.0.0.255", "protocol"},
    {"192.0.0.192", "192.0.0.192", "metadata"},
    {"192.0.2.0", "192.0.2.255", "documentation"},
    {"192.31.196.0", "192.31.196.255", "anycast"},
    {"192.52.193.0", "192.52.193.255", "anycast"},
    {"192.88.99.0", "192.88.99.255", "anycast"},
    {"192.168.0.0", "192.168.255.255", "private"},
    {"192.175.48.0", "192.175.48.255", "anycast"},
    {"198.18.0.0", "198.19.255.255", "benchmarking"},
    {"198.51.100.0", "198.51.100.255", "documentation"},
    {"203.0.113.0", "203.0.113.255", "documentation"},
    {"224.0.0.0", "239.255.255.255", "multicast"},
    {"240.0.0.0", "255.255.255.255", "reserved"},
};

const Block kV6Blocks[] = {
    {"::", "::", "this_network"},
    {"::1", "::1", "loopback"},
    {"::2", "::ffff:ffff", "embedded_ipv4"},
    {"::ffff:0:0:0", "::ffff:0:ffff:ffff", "embedded_ipv4"},
    {"64:ff9b::", "64:ff9b::ffff:ffff", "embedded_ipv4"},
    {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "embedded_ipv4"},
    {"100::", "100::ffff:ffff:ffff:ffff", "reserved"},
    {"100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "reserved"},
    {"1fff:ffff::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"},
    {"2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "embedded_ipv4"},
    {"2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"},
    {"2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "protocol"},
    {"2001:10::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"},
    {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"},
    {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "embedded_ipv4"},
    {"2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "anycast"},
    {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"},
    {"4000::", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"},
    {"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"},
    {"8000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"},
    {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"},
    {"fd00:ec2::254", "fd00:ec2::254", "metadata"},
    {"fd00:ec2::23", "fd00:ec2::23", "metadata"},
    {"fd20:ce::254", "fd20:ce::254", "metadata"},
    {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link_local"},
    {"fe80::a9fe:a9fe", "fe80::a9fe:a9fe", "metadata"},
    {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"},
    {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
};

// The address right before or after a block.
const char* const kPublic[] = {
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.1.255",
    "192.0.3.0",
    "192.31.195.255",
    "192.31.197.0",
    "192.52.192.255",
    "192.52.194.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "192.175.47.255",
    "192.175.49.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "8.8.8.8",
    "2000::",
    "2001:200::",
    "2001:db9::",
    "2003::",
    "2620:4f:8001::",
    "3fff:1000::",
    "2606:4700::1111",
    "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

// 2002:AABB:CCDD:: of an IPv4 address.
std::string six_to_four(std::string_view v4) {
  const auto& bytes = address(v4).bytes;
  return fmt::format("2002:{:02x}{:02x}:{:02x}{:02x}::1", bytes[12], bytes[13], bytes[14],
                     bytes[15]);
}

TEST(AddressPolicyTest, RefusesBothEndsOfEveryIpv4Block) {
  for (const Block& block : kV4Blocks) {
    for (const std::string& text : {block.first, block.last}) {
      EXPECT_EQ(refusal(AddressPolicy{}, text), block.class_name) << text;
      EXPECT_EQ(refusal(AddressPolicy{}, "::ffff:" + text), block.class_name) << "mapped " << text;
    }
  }
}

TEST(AddressPolicyTest, RefusesIpv4InsideIpv6WhateverIsOpened) {
  const AddressPolicy everything = opened({"0.0.0.0/0", "::/0"});
  for (const Block& block : kV4Blocks) {
    for (const std::string& text : {block.first, block.last}) {
      const std::string spellings[] = {"64:ff9b::" + text, "64:ff9b:1::" + text, "::ffff:0:" + text,
                                       six_to_four(text)};
      for (const std::string& spelling : spellings) {
        EXPECT_EQ(refusal(AddressPolicy{}, spelling), "embedded_ipv4") << spelling;
        EXPECT_EQ(refusal(everything, spelling), "embedded_ipv4") << spelling;
      }
      if (text == "0.0.0.0") continue;  // ::0.0.0.0 is the unspecified address itself
      EXPECT_EQ(refusal(everything, "::" + text), "embedded_ipv4") << text;
    }
  }
}

TEST(AddressPolicyTest, RefusesBothEndsOfEveryIpv6Block) {
  for (const Block& block : kV6Blocks) {
    for (const std::string& text : {block.first, block.last}) {
      EXPECT_EQ(refusal(AddressPolicy{}, text), block.class_name) << text;
    }
  }
}

TEST(AddressPolicyTest, AllowsTheAddressesNextToTheBlocks) {
  for (const std::string text : kPublic) {
    EXPECT_EQ(refusal(AddressPolicy{}, text), "allowed") << text;
    if (text.find(':') != std::string::npos) continue;
    EXPECT_EQ(refusal(AddressPolicy{}, "::ffff:" + text), "allowed") << text;
  }
}

TEST(AddressPolicyTest, AnOpenedRangeMayBeCalledAndItsNeighborsMayNot) {
  const AddressPolicy policy = opened({"10.1.0.0/16", "::1", "fd00:1::/32"});
  EXPECT_EQ(refusal(policy, "10.1.0.0"), "allowed");
  EXPECT_EQ(refusal(policy, "10.1.255.255"), "allowed");
  EXPECT_EQ(refusal(policy, "::ffff:10.1.2.3"), "allowed");
  EXPECT_EQ(refusal(policy, "10.0.255.255"), "private");
  EXPECT_EQ(refusal(policy, "10.2.0.0"), "private");
  EXPECT_EQ(refusal(policy, "::1"), "allowed");
  EXPECT_EQ(refusal(policy, "::2"), "embedded_ipv4");
  EXPECT_EQ(refusal(policy, "127.0.0.1"), "loopback");
  EXPECT_EQ(refusal(policy, "fd00:1:ffff::"), "allowed");
  EXPECT_EQ(refusal(policy, "fd00:2::"), "private");
}

TEST(AddressPolicyTest, ARangeOfMappedAddressesOpensTheIpv4Addresses) {
  const AddressPolicy policy = opened({"::ffff:127.0.0.0/104"});
  EXPECT_EQ(refusal(policy, "127.0.0.1"), "allowed");
  EXPECT_EQ(refusal(policy, "::ffff:127.0.0.1"), "allowed");
  EXPECT_EQ(refusal(policy, "10.0.0.1"), "private");
}

TEST(AddressPolicyTest, MetadataStaysRefusedWhateverIsOpened) {
  const AddressPolicy everything = opened({"0.0.0.0/0", "::/0", "169.254.169.254"});
  for (const char* text : {"169.254.169.254", "::ffff:169.254.169.254", "169.254.170.2",
                           "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16",
                           "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe"}) {
    EXPECT_EQ(refusal(everything, text), "metadata") << text;
  }
  EXPECT_EQ(refusal(everything, "169.254.169.253"), "allowed");
}

TEST(IpAddressTest, TextGoesThereAndBack) {
  for (const char* text : {"0.0.0.0", "255.255.255.255", "10.1.2.3", "::", "::1", "2001:db8::1"}) {
    EXPECT_EQ(address(text).text(), text);
  }
  EXPECT_EQ(address("2001:0DB8:0:0:0:0:0:1").text(), "2001:db8::1");
  EXPECT_EQ(IpAddress::v4(0x7f000001).text(), "127.0.0.1");
  const std::uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(IpAddress::v6_from(loopback).text(), "::1");
}

TEST(IpAddressTest, OtherSpellingsAreNoAddress) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "1.2.3"s, "127.1"s, "0x7f.0.0.1"s, "2130706433"s, "256.0.0.1"s, "1.2.3.4 "s, "[::1]"s,
        "fe80::1%eth0"s, ":::"s, "1.2.3.4\0"s, "::1\0x"s, "example.com"s}) {
    EXPECT_FALSE(IpAddress::parse(text)) << testing::PrintToString(text);
  }
}

TEST(IpRangeTest, MalformedRangesAreRefused) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x", "10/8",
        "10.0.0.1/8", "::/129", "fd00::1/8", "10.0.0.0/8/8", "10.0.0.0/ 8", "example.com/8"}) {
    EXPECT_FALSE(IpRange::parse(text)) << text;
  }
}

TEST(IpRangeTest, ContainsExactlyItsAddresses) {
  const IpRange odd = IpRange::parse("192.168.128.0/19").value();
  EXPECT_TRUE(odd.contains(address("192.168.128.0")));
  EXPECT_TRUE(odd.contains(address("192.168.159.255")));
  EXPECT_FALSE(odd.contains(address("192.168.127.255")));
  EXPECT_FALSE(odd.contains(address("192.168.160.0")));
  EXPECT_TRUE(IpRange::parse("10.0.0.1")->contains(address("10.0.0.1")));
  EXPECT_FALSE(IpRange::parse("10.0.0.1")->contains(address("10.0.0.0")));
  EXPECT_FALSE(IpRange::parse("0.0.0.0/0")->contains(address("::1")));
  EXPECT_FALSE(IpRange::parse("::/0")->contains(address("10.0.0.1")));
}

}  // namespace
}  // namespace sealpost
