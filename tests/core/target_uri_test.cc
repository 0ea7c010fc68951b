#include "core/target_uri.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

std::string whole(std::string_view url) {
  std::string room;
  const TargetUri uri = target_uri(url, room);
  return std::string(uri.scheme) + " " + std::string(uri.host) + " " + std::string(uri.path) + " " +
         std::string(uri.query);
}

TEST(TargetUriTest, IsNormalizedAsRfc9421Wants) {
  EXPECT_EQ(whole("https://example.com/a/b?c=d"), "https example.com /a/b ?c=d");
  EXPECT_EQ(whole("https://example.com"), "https example.com / ");
  EXPECT_EQ(whole("https://example.com?x"), "https example.com / ?x");
  EXPECT_EQ(whole("https://example.com/?"), "https example.com / ?");
  EXPECT_EQ(whole("HTTPS://Hooks.Example.COM:443/A"), "https hooks.example.com /A ");
  EXPECT_EQ(whole("https://example.com:8443/"), "https example.com:8443 / ");
  EXPECT_EQ(whole("http://example.com:80/a//b/../c"), "http example.com /a//b/../c ");
  EXPECT_EQ(whole("http://example.com:443/"), "http example.com:443 / ");
  EXPECT_EQ(whole("https://[2001:DB8::1]:443/"), "https [2001:db8::1] / ");
}

}  // namespace
}  // namespace sealpost
