#include "storage/pg_parameters.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

TEST(PgArrayTest, IsALiteral) {
  EXPECT_EQ(PgArray().literal(), "{}");
  EXPECT_EQ(PgArray().add("a").add(R"(b"c\d)").add("").literal(), R"({"a","b\"c\\d",""})");
  EXPECT_EQ(PgArray().add(1).add_flag(true).add_flag(false).literal(), "{1,t,f}");
  EXPECT_EQ(PgArray().add_bytes("\x01z").literal(), R"({"\\x017a"})");
  EXPECT_EQ(PgArray().add(WallTime{std::chrono::seconds(2)}).literal(), "{2000000}");
}

TEST(PgArrayTest, WhatPostgresDoesNotTakeIsReplaced) {
  EXPECT_EQ(PgArray().add(std::string_view("a\0b\xff", 4)).literal(), "{\"ab\xEF\xBF\xBD\"}");
}

TEST(PgArrayTest, NullsAtTheEndAreLeftOut) {
  EXPECT_EQ(PgArray().add_null().add_null().literal(), "{}");
  EXPECT_EQ(PgArray().add_null().add(1).add_null().add_null().add(2).add_null().literal(),
            "{NULL,1,NULL,NULL,2}");
  EXPECT_EQ(PgArray().add(std::optional<int>()).add("a").literal(), "{NULL,\"a\"}");
  EXPECT_TRUE(PgArray().add_null().empty());
}

}  // namespace
}  // namespace sealpost
