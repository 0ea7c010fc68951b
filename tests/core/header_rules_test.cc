#include "core/header_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace sealpost {
namespace {

TEST(HeaderRulesTest, NamesAreTokens) {
  const std::string token =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int code = 0; code < 256; ++code) {
    const std::string name(1, static_cast<char>(code));
    const bool expected = token.find(name) != std::string::npos;
    EXPECT_EQ(is_header_name(name), expected) << code;
  }
  EXPECT_FALSE(is_header_name(""));
  EXPECT_TRUE(is_header_name(std::string(256, 'a')));
  EXPECT_FALSE(is_header_name(std::string(257, 'a')));
}

TEST(HeaderRulesTest, ValuesAreVisibleAsciiSpacesAndTabs) {
  for (int code = 0; code < 256; ++code) {
    const std::string value = std::string("a") + static_cast<char>(code) + "b";
    EXPECT_EQ(is_header_value(value), code == '\t' || (code >= 0x20 && code <= 0x7e)) << code;
  }
}

TEST(HeaderRulesTest, ValuesAreNeitherEmptyNorPaddedNorOverlong) {
  EXPECT_FALSE(is_header_value(""));
  EXPECT_FALSE(is_header_value(" "));
  EXPECT_FALSE(is_header_value(" a"));
  EXPECT_FALSE(is_header_value("a\t"));
  EXPECT_TRUE(is_header_value(std::string(4096, 'a')));
  EXPECT_FALSE(is_header_value(std::string(4097, 'a')));
}

TEST(HeaderRulesTest, NamesAreComparedWithoutCase) {
  EXPECT_TRUE(same_header_name("Webhook-ID", "webhook-id"));
  EXPECT_FALSE(same_header_name("webhook-id", "webhook-ids"));
  EXPECT_FALSE(same_header_name("a_b", "a-b"));
  EXPECT_FALSE(same_header_name("[", "{")) << "only letters have a case";
}

TEST(HeaderRulesTest, TransportHeadersAreKnownInAnyCase) {
  for (const char* name : {"Host", "HOST", "content-length", "te", "Proxy-Anything", "proxy-"}) {
    EXPECT_TRUE(is_transport_header(name)) << name;
  }
  for (const char* name : {"X-Host", "Content-Type", "Proxy", "Test", ""}) {
    EXPECT_FALSE(is_transport_header(name)) << name;
  }
}

}  // namespace
}  // namespace sealpost
