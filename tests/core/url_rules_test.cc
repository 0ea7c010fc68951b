#include "core/url_rules.h"

#include <gtest/gtest.h>

#include <set>

namespace sealpost {
namespace {

const UrlRules kStrict{};
const UrlRules kWithHttp{.allow_http = true, .allowed_ranges = {}};

UrlRules with_ranges(std::initializer_list<std::string_view> ranges) {
  UrlRules rules{.allow_http = true, .allowed_ranges = {}};
  for (const std::string_view range : ranges) {
    rules.allowed_ranges.push_back(IpRange::parse(range).value());
  }
  return rules;
}

TEST(UrlRulesTest, OrdinaryUrlsAreFine) {
  for (const char* url :
       {"https://merchant.example.com/webhooks", "https://example.com", "https://example.com:443/",
        "https://example.com:8443/a?b=c&d=%20", "https://EXAMPLE.com./x", "HTTPS://example.com/",
        "https://xn--bcher-kva.example/", "https://a_b.example.com/", "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/", "https://0x08080808/", "https://localhost.example.com/",
        "https://example.com/a@b", "https://3com.com/", "https://example.com/?user@host"}) {
    EXPECT_EQ(url_error(url, kStrict), std::nullopt) << url;
  }
}

TEST(UrlRulesTest, HttpNeedsPermission) {
  EXPECT_NE(url_error("http://example.com/", kStrict)->find("SEALPOST_ALLOW_HTTP"),
            std::string::npos);
  EXPECT_EQ(url_error("http://example.com/", kWithHttp), std::nullopt);
  EXPECT_EQ(url_error("https://example.com/", kWithHttp), std::nullopt);
}

TEST(UrlRulesTest, OtherSchemesAreRefused) {
  for (const char* url :
       {"ftp://example.com/", "file:///etc/passwd", "gopher://example.com:70/_x", "example.com",
        "//example.com/", "javascript:alert(1)", "https:example.com", "https:/example.com",
        "httpss://example.com", "dict://example.com:11211/", "ws://example.com/", "data:,x"}) {
    EXPECT_TRUE(url_error(url, kWithHttp)) << url;
  }
}

TEST(UrlRulesTest, UserNamesAndFragmentsAreRefused) {
  for (const char* url :
       {"https://user@example.com/", "https://user:pw@example.com/", "https://@example.com/",
        "https://:@example.com/", "https://example.com:443@evil.example/",
        "https://example.com@127.0.0.1/"}) {
    EXPECT_NE(url_error(url, kStrict)->find("user name"), std::string::npos) << url;
  }
  for (const char* url :
       {"https://example.com/#x", "https://example.com#", "https://example.com/?a#"}) {
    EXPECT_NE(url_error(url, kStrict)->find("fragment"), std::string::npos) << url;
  }
}

TEST(UrlRulesTest, LengthAndCharactersAreChecked) {
  const std::string base = "https://example.com/";
  EXPECT_EQ(url_error(base + std::string(2048 - base.size(), 'a'), kStrict), std::nullopt);
  EXPECT_NE(url_error(base + std::string(2049 - base.size(), 'a'), kStrict)->find("2048"),
            std::string::npos);
  using namespace std::string_literals;
  for (const std::string& url :
       {""s, "https://example.com/a b"s, " https://example.com/"s, "https://example.com/\n"s,
        "https://example.com/\r\nHost: x"s, "https://example.com/\0"s,
        "https://example.com\0.evil/"s, "https://example.com/\t"s, "https://ex\xC3\xA4mple.com/"s,
        "https://example.com/\xC3\xA4"s, "https://example.com\\@evil.example/"s,
        "https://example.com/\\x"s, "https://example.com/\x7f"s}) {
    EXPECT_TRUE(url_error(url, kStrict)) << testing::PrintToString(url);
  }
}

TEST(UrlRulesTest, EverySpellingOfAPrivateAddressIsRefused) {
  for (const char* host : {"127.0.0.1",
                           "127.1",
                           "127.0.1",
                           "0",
                           "0.0.0.0",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.1",
                           "017700000001",
                           "0177.0.0.1",
                           "00000000177.0.0.1",
                           "0x7F.0x0.0x0.0x1",
                           "127.0.0.1.",
                           "2130706433.",
                           "0x7f.1.",
                           "10.0.0.1",
                           "192.168.1.1",
                           "172.16.0.1",
                           "169.254.169.254",
                           "0xA9FEA9FE",
                           "2852039166",
                           "100.64.0.1",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "[fe80::1]",
                           "[fd00:ec2::254]",
                           "[0:0:0:0:0:0:0:1]",
                           "[::FFFF:7F00:1]",
                           "224.0.0.1",
                           "255.255.255.255"}) {
    const auto error = url_error(std::string("https://") + host + "/", kStrict);
    ASSERT_TRUE(error) << host;
    EXPECT_NE(error->find("not public"), std::string::npos) << host << ": " << *error;
  }
}

TEST(UrlRulesTest, HostsThatAreNeitherNameNorAddressAreRefused) {
  const std::string long_label(64, 'a');
  for (const std::string host : {"",
                                 "%31%32%37.0.0.1",
                                 "127%2e0%2e0%2e1",
                                 "exa%6dple.com",
                                 "[2606:4700:4700::1111%25eth0]",
                                 "[::1",
                                 "[v1.a]",
                                 "256.1.1.1",
                                 "1.2.3.4.5",
                                 "08.1.1.1",
                                 "4294967296",
                                 "0x",
                                 "127.0.0.1..",
                                 "example..com",
                                 ".example.com",
                                 "example.com..",
                                 "-a.example",
                                 "a-.example",
                                 "a|b.example",
                                 "a~b.example",
                                 "ex*mple.com",
                                 "a,b.example",
                                 ":443",
                                 "."}) {
    EXPECT_TRUE(url_error("https://" + host + "/", kStrict)) << host;
  }
  EXPECT_TRUE(url_error("https://" + long_label + ".example/", kStrict));
  std::string long_name = "a.example";
  while (long_name.size() <= 253) long_name = "aaaaaaaa." + long_name;
  EXPECT_TRUE(url_error("https://" + long_name + "/", kStrict));
}

TEST(UrlRulesTest, NamesThatMeanSomethingInsideANetworkAreRefused) {
  for (const char* host :
       {"localhost", "LOCALHOST", "localhost.", "a.localhost", "receiver", "printer.local",
        "db.internal", "nas.home.arpa", "x.onion", "metadata.google.internal", "metadata.goog",
        "instance-data.ec2.internal", "wiki.corp", "router.lan", "a.b.intranet", "x.localdomain",
        "METADATA.google.INTERNAL."}) {
    const auto error = url_error(std::string("https://") + host + "/", kStrict);
    ASSERT_TRUE(error) << host;
    EXPECT_NE(error->find("not public"), std::string::npos) << host;
  }
}

TEST(UrlRulesTest, ARefusalSaysNothingAboutWhatExistsInside) {
  std::set<std::string> sentences;
  for (const char* url : {"https://127.0.0.1/", "https://10.9.8.7:5432/", "https://localhost/",
                          "https://db.internal/", "https://169.254.169.254/latest",
                          "https://[fd00::1]/", "https://unknown-single-label/"}) {
    sentences.insert(url_error(url, kStrict).value());
  }
  EXPECT_EQ(sentences.size(), 1u);
}

TEST(UrlRulesTest, PortsOfOtherServicesAreRefused) {
  for (const char* url :
       {"https://example.com:0/", "https://example.com:22/", "https://example.com:25/",
        "https://example.com:80/", "https://example.com:1023/", "https://example.com:3306/",
        "https://example.com:5432/", "https://example.com:6379/", "https://example.com:6667/",
        "https://example.com:11211/", "https://8.8.8.8:22/"}) {
    EXPECT_NE(url_error(url, kStrict)->find("port"), std::string::npos) << url;
  }
  for (const char* url :
       {"https://example.com:65536/", "https://example.com:80a/", "https://example.com:-1/"}) {
    EXPECT_TRUE(url_error(url, kStrict)) << url;
  }
  for (const char* url : {"https://example.com:1024/", "https://example.com:8080/",
                          "https://example.com:65535/", "http://example.com:80/"}) {
    EXPECT_EQ(url_error(url, kWithHttp), std::nullopt) << url;
  }
  EXPECT_TRUE(url_error("http://example.com:22/", kWithHttp));
}

TEST(UrlRulesTest, OpenedRangesAdmitTheirAddressesOnAnyPort) {
  const UrlRules rules = with_ranges({"127.0.0.0/8", "::1"});
  for (const char* url :
       {"http://127.0.0.1:80/", "http://127.0.0.1:8025/", "https://127.1:443/",
        "http://127.9.9.9:5432/", "http://[::1]:22/", "http://[::ffff:127.0.0.1]:9000/"}) {
    EXPECT_EQ(url_error(url, rules), std::nullopt) << url;
  }
  for (const char* url : {"http://10.0.0.1/", "http://[::2]/", "http://169.254.169.254/",
                          "http://192.168.0.1:9000/"}) {
    EXPECT_TRUE(url_error(url, rules)) << url;
  }
}

TEST(UrlRulesTest, OpenedRangesAdmitLocalNames) {
  const UrlRules rules = with_ranges({"10.0.0.0/8"});
  for (const char* url : {"http://localhost:9000/", "http://receiver/",
                          "http://billing.internal:80/", "http://a.local:7000/"}) {
    EXPECT_EQ(url_error(url, rules), std::nullopt) << url;
  }
  EXPECT_TRUE(url_error("http://example.com:22/", rules)) << "public names keep their rules";
}

TEST(UrlRulesTest, MetadataNamesStayRefusedWhateverIsOpened) {
  const UrlRules rules = with_ranges({"0.0.0.0/0", "::/0"});
  for (const char* url :
       {"http://metadata.google.internal/", "http://metadata/", "http://instance-data/",
        "http://169.254.169.254/", "http://x.onion/", "http://[fd00:ec2::254]/"}) {
    EXPECT_TRUE(url_error(url, rules)) << url;
  }
}

}  // namespace
}  // namespace sealpost
