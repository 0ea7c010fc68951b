#include "admin_api/list_query.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

std::string utc(std::string_view text) {
  const auto time = parse_rfc3339(text);
  return time ? to_rfc3339(*time) : "refused";
}

TEST(Rfc3339Test, ReadsEveryFormOfTheStandard) {
  EXPECT_EQ(utc("2026-05-27T09:00:00Z"), "2026-05-27T09:00:00.000Z");
  EXPECT_EQ(utc("2026-05-27t09:00:00z"), "2026-05-27T09:00:00.000Z");
  EXPECT_EQ(utc("2026-05-27T09:00:00.5Z"), "2026-05-27T09:00:00.500Z");
  EXPECT_EQ(utc("2026-05-27T09:00:00.123456789Z"), "2026-05-27T09:00:00.123Z");
  EXPECT_EQ(utc("2026-05-27T09:00:00+02:00"), "2026-05-27T07:00:00.000Z");
  EXPECT_EQ(utc("2026-05-27T23:30:00-01:30"), "2026-05-28T01:00:00.000Z");
  EXPECT_EQ(utc("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(utc("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
}

TEST(Rfc3339Test, KeepsMicroseconds) {
  const auto time = parse_rfc3339("1970-01-01T00:00:00.000001Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(time->time_since_epoch().count(), 1);
}

TEST(Rfc3339Test, RefusesEverythingElse) {
  for (const char* text :
       {"", "2026-05-27", "2026-05-27T09:00:00", "2026-05-27 09:00:00Z", "2026-02-30T09:00:00Z",
        "2026-13-01T09:00:00Z", "2026-05-27T24:00:00Z", "2026-05-27T09:60:00Z",
        "2026-05-27T09:00:61Z", "2026-05-27T09:00:00.Z", "2026-05-27T09:00:00.1234567890Z",
        "2026-05-27T09:00:00+2:00", "2026-05-27T09:00:00+24:00", "2026-05-27T09:00:00Zx",
        "26-05-27T09:00:00Z", "2026-05-27T09:00Z", "1716800400", "2026-05-27T09:00:00 02:00"}) {
    EXPECT_EQ(utc(text), "refused") << text;
  }
}

}  // namespace
}  // namespace sealpost
