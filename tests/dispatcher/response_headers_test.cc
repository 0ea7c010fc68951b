#include "dispatcher/response_headers.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

TEST(ResponseHeadersTest, ReadsStatusLines) {
  EXPECT_EQ(status_of("HTTP/1.1 200 OK\r\n"), 200);
  EXPECT_EQ(status_of("HTTP/1.0 404\r\n"), 404);
  EXPECT_EQ(status_of("HTTP/2 503 \r\n"), 503);
  for (const char* line : {"HTTP/1.1\r\n", "HTTP/1.1 2\r\n", "HTTP/1.1 099 x\r\n", "Date: 200\r\n",
                           "HTTP/1.1 -20 x\r\n", ""}) {
    EXPECT_EQ(status_of(line), std::nullopt) << line;
  }
}

TEST(ResponseHeadersTest, FindsAHeaderInAnyCase) {
  EXPECT_EQ(header_value("Retry-After: 5\r\n", "retry-after"), "5");
  EXPECT_EQ(header_value("RETRY-AFTER:\t 5 \t\r\n", "retry-after"), "5");
  EXPECT_EQ(header_value("Retry-After:\r\n", "retry-after"), "");
  EXPECT_EQ(header_value("Retry-After", "retry-after"), std::nullopt);
  EXPECT_EQ(header_value("Retry-After2: 5\r\n", "retry-after"), std::nullopt);
  EXPECT_EQ(header_value("X-Retry-After: 5\r\n", "retry-after"), std::nullopt);
}

TEST(ResponseHeadersTest, ReadsAMediaTypeWithoutItsParameters) {
  constexpr char kType[] = "application/jose+json";
  for (const char* same : {"application/jose+json", " Application/JOSE+JSON ;charset=utf-8",
                           "application/jose+json;", "application/jose+json \t"}) {
    EXPECT_TRUE(is_media_type(same, kType)) << same;
  }
  for (const char* other :
       {"", ";", "application/json", "application/jose", "text/plain; a=application/jose+json",
        "application/jose+json2", "application/jose+json, text/plain"}) {
    EXPECT_FALSE(is_media_type(other, kType)) << other;
  }
}

TEST(ResponseHeadersTest, KnowsWhatIsNotTheAnswerYet) {
  EXPECT_TRUE(is_interim(100));
  EXPECT_TRUE(is_interim(103));
  EXPECT_FALSE(is_interim(101)) << "no other HTTP response follows";
  EXPECT_FALSE(is_interim(200));
  EXPECT_TRUE(is_blank("\r\n"));
  EXPECT_FALSE(is_blank(" \r\n"));
}

}  // namespace
}  // namespace sealpost
