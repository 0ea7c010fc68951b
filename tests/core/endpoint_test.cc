#include "core/endpoint.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

TEST(EventPatternTest, AnExactNameMatchesItself) {
  EXPECT_TRUE(matches_event_type("invoice.paid", "invoice.paid"));
  EXPECT_FALSE(matches_event_type("invoice.paid", "invoice.paid.late"));
  EXPECT_FALSE(matches_event_type("invoice.paid", "invoice"));
  EXPECT_FALSE(matches_event_type("invoice.paid", "Invoice.paid"));
}

TEST(EventPatternTest, AWildcardMatchesEverythingBelowItsPrefix) {
  EXPECT_TRUE(matches_event_type("invoice.*", "invoice.paid"));
  EXPECT_TRUE(matches_event_type("invoice.*", "invoice.paid.late"));
  EXPECT_FALSE(matches_event_type("invoice.*", "invoice"));
  EXPECT_FALSE(matches_event_type("invoice.*", "invoices.paid"));
  EXPECT_FALSE(matches_event_type("invoice.*", "invoice."));
}

TEST(EventPatternTest, AStarMatchesEveryOrdinaryType) {
  EXPECT_TRUE(matches_event_type("*", "invoice.paid"));
  EXPECT_TRUE(matches_event_type("*", "webhooks.changed"));
}

TEST(EventPatternTest, ReservedTypesMustBeNamedExactly) {
  EXPECT_FALSE(matches_event_type("*", "webhook.delivery.failed"));
  EXPECT_FALSE(matches_event_type("webhook.*", "webhook.delivery.failed"));
  EXPECT_TRUE(matches_event_type("webhook.delivery.failed", "webhook.delivery.failed"));
}

TEST(EventPatternTest, GoodPatternsMayBeStored) {
  for (const char* pattern :
       {"*", "a", "a.b", "a.*", "a.b.*", "A_1.b2", "webhook.delivery.failed", "webhooks.*"}) {
    EXPECT_EQ(event_pattern_error(pattern), std::nullopt) << pattern;
  }
  EXPECT_EQ(event_pattern_error(std::string(128, 'a')), std::nullopt);
}

TEST(EventPatternTest, BadPatternsAreRefusedWithAnExample) {
  for (const char* pattern : {"", ".", ".a", "a.", "a..b", "a.*.b", "*.a", "**", "a*", "a.b*", ".*",
                              "a b", "a-b", "\xC3\xA9", "a.**"}) {
    const auto error = event_pattern_error(pattern);
    ASSERT_TRUE(error) << pattern;
    EXPECT_NE(error->find("invoice.paid"), std::string::npos) << *error;
  }
  EXPECT_NE(event_pattern_error(std::string(129, 'a'))->find("128"), std::string::npos);
}

TEST(EventPatternTest, AWildcardOverReservedTypesIsRefused) {
  const auto error = event_pattern_error("webhook.*");
  ASSERT_TRUE(error);
  EXPECT_NE(error->find("named exactly"), std::string::npos);
  EXPECT_TRUE(event_pattern_error("webhook.delivery.*"));
}

TEST(StaticHeaderTest, OrdinaryHeadersAreFine) {
  EXPECT_EQ(header_error("Authorization", "Bearer abc"), std::nullopt);
  EXPECT_EQ(header_error("X-Api-Key", "a\tb \x7e!"), std::nullopt);
  EXPECT_EQ(header_error("User-Agent", "acme/1.0"), std::nullopt);
  EXPECT_EQ(header_error("x", std::string(4096, 'v')), std::nullopt);
}

TEST(StaticHeaderTest, ALineBreakCannotBecomeAHeader) {
  using namespace std::string_literals;
  const std::string values[] = {"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\r",       "\r\n",
                                "a\0b"s,          "a\x7f",        "a\x1b[31m", "\xC3\xA9"};
  for (const std::string& value : values) {
    const auto error = header_error("X-Api-Key", value);
    ASSERT_TRUE(error) << testing::PrintToString(value);
    EXPECT_NE(error->find("X-Api-Key"), std::string::npos) << "says which header";
  }
  for (const std::string& name : {"X-A\r\nX-Evil"s, "X-A\n"s, "X A"s, "X-A:"s, ":path"s, ""s,
                                  "X\0A"s, "X-\xC3\xA9"s, "(x)"s, std::string(257, 'x')}) {
    EXPECT_TRUE(header_error(name, "v")) << testing::PrintToString(name);
  }
}

TEST(StaticHeaderTest, AValueIsNeverShownInTheError) {
  const auto error = header_error("Authorization", "Bearer s3cret\n");
  EXPECT_EQ(error->find("s3cret"), std::string::npos);
}

TEST(StaticHeaderTest, EmptyPaddedAndOverlongValuesAreRefused) {
  for (const std::string& value :
       {std::string(), std::string(" a"), std::string("a\t"), std::string(4097, 'v')}) {
    EXPECT_TRUE(header_error("X-Api-Key", value));
  }
}

TEST(StaticHeaderTest, HeadersOfTheSenderAreRefusedInAnyCase) {
  for (const char* name :
       {"Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect",
        "TE", "Trailer", "Upgrade", "Proxy-Authorization", "proxy-x", "Content-Type",
        "CONTENT-TYPE", "Idempotency-Key", "webhook-id", "Webhook-Signature", "webhook-anything"}) {
    const auto error = header_error(name, "v");
    ASSERT_TRUE(error) << name;
    EXPECT_NE(error->find(name), std::string::npos) << *error;
  }
}

}  // namespace
}  // namespace sealpost
