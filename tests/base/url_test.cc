#include "base/url.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

std::string host_of(std::string_view url) {
  const std::optional<UrlParts> parts = parse_url(url);
  return parts ? parts->host : "(refused)";
}

TEST(UrlTest, SplitsAUrlIntoItsParts) {
  const std::optional<UrlParts> url =
      parse_url("HTTPS://us%65r:pa%20ss@example.com:8443/hooks/in?a=1&b=2#top");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user, "user");
  EXPECT_EQ(url->password, "pa ss");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_TRUE(url->port_given);
  EXPECT_EQ(url->path, "/hooks/in");
  EXPECT_EQ(url->query, "a=1&b=2");
  EXPECT_EQ(url->fragment, "top");
}

TEST(UrlTest, FillsInWhatIsMissing) {
  const std::optional<UrlParts> url = parse_url("https://example.com");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 443);
  EXPECT_FALSE(url->port_given);
  EXPECT_EQ(url->path, "/");
  EXPECT_EQ(url->user + url->password + url->query + url->fragment, "");
  EXPECT_EQ(parse_url("http://example.com")->port, 80);
}

TEST(UrlTest, TellsAGivenDefaultPortFromAMissingOne) {
  const std::optional<UrlParts> url = parse_url("https://example.com:443/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 443);
  EXPECT_TRUE(url->port_given);
}

TEST(UrlTest, EverySpellingOfAnIpv4AddressBecomesTheSame) {
  for (const std::string_view spelling :
       {"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
        "017700000001", "0x7f.1", "%31%32%37.0.0.1"}) {
    EXPECT_EQ(host_of("https://" + std::string(spelling) + "/"), "127.0.0.1") << spelling;
  }
}

TEST(UrlTest, AnIpv6LiteralKeepsItsBrackets) {
  EXPECT_EQ(host_of("https://[::1]:9/"), "[::1]");
  EXPECT_EQ(host_of("https://[::ffff:127.0.0.1]/"), "[::ffff:127.0.0.1]");
  EXPECT_EQ(parse_url("https://[::1"), std::nullopt);
  EXPECT_EQ(parse_url("https://[::g]/"), std::nullopt);
}

TEST(UrlTest, DecodesEscapesInTheHost) {
  EXPECT_EQ(host_of("https://ex%61mple.com/"), "example.com");
  EXPECT_EQ(host_of("https://example.com%2f@evil.example/"), "evil.example");
}

TEST(UrlTest, TheHostEndsWhereTheConnectionThinksItEnds) {
  EXPECT_EQ(host_of("https://good.example@evil.example/"), "evil.example");
  EXPECT_EQ(host_of("https://evil.example#@good.example/"), "evil.example");
  EXPECT_EQ(host_of("https://evil.example?@good.example/"), "evil.example");
  EXPECT_EQ(host_of("https://evil.example\\@good.example/"), "good.example");
}

TEST(UrlTest, RemovesDotSegmentsFromThePath) {
  EXPECT_EQ(parse_url("https://example.com/a/./b/../c")->path, "/a/c");
}

TEST(UrlTest, RefusesWhatATransferWouldRefuse) {
  for (const std::string_view url : {
           "",
           "example.com",
           "//example.com/",
           "https://",
           "https:///",
           "nosuch://example.com/",
           "https://example.com:65536/",
           "https://example.com:-1/",
           "https://example.com:8x/",
           "https://exa mple.com/",
           "https://example.com/a b",
           "https://example.com/\r\nHost: evil",
           "https://example.com/\t",
           "https://example.com/\x7f",
           "https://exam%00ple.com/",
           "https://exam%0aple.com/",

           "https://a b@example.com/",
       }) {
    EXPECT_EQ(parse_url(url), std::nullopt) << url;
  }
}

TEST(UrlTest, DoesNotStopAtANulByte) {
  EXPECT_EQ(parse_url(std::string_view("https://good.example\0.evil.example/", 35)), std::nullopt);
}

}  // namespace
}  // namespace sealpost
