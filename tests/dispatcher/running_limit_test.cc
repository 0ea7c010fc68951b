#include "dispatcher/running_limit.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

// Looks that it takes until the limit is `value`.
int looks_until(RunningLimit& limit, int value, int ended) {
  int looks = 0;
  for (; limit.value() != value && looks < 10'000; ++looks) limit.looked(ended);
  return looks;
}

TEST(RunningLimitTest, BeginsLow) {
  EXPECT_EQ(RunningLimit(1024).value(), 64);
  EXPECT_FALSE(RunningLimit(1024).is_full());
}

TEST(RunningLimitTest, IsNeverAboveWhatIsAllowed) {
  RunningLimit limit(16);
  EXPECT_EQ(limit.value(), 16);
  EXPECT_TRUE(limit.is_full());
  limit.looked(0);
  EXPECT_EQ(limit.value(), 16);
  limit.looked(1000);
  EXPECT_EQ(limit.value(), 16);
}

TEST(RunningLimitTest, RisesToTheTopWhileNothingEnds) {
  RunningLimit limit(1024);
  EXPECT_EQ(looks_until(limit, 1024, 0), 120) << "a look is the time that 8 starts take";
  EXPECT_TRUE(limit.is_full());
}

TEST(RunningLimitTest, SinksWhileEveryLookFindsSomething) {
  RunningLimit limit(1024);
  looks_until(limit, 1024, 0);
  limit.looked(16);
  EXPECT_EQ(limit.value(), 1022);
  EXPECT_LT(looks_until(limit, 64, 16), 500);
  limit.looked(16);
  EXPECT_EQ(limit.value(), 64) << "never lower";
}

TEST(RunningLimitTest, TakesBackWhatIsNotUsed) {
  RunningLimit limit(1024);
  looks_until(limit, 1024, 0);
  limit.used(1024);
  EXPECT_EQ(limit.value(), 1024);
  limit.used(600);
  EXPECT_EQ(limit.value(), 608) << "something else holds them back";
  limit.used(700);
  EXPECT_EQ(limit.value(), 608) << "using it does not raise it";
  limit.used(0);
  EXPECT_EQ(limit.value(), 64);
  RunningLimit small(16);
  small.used(0);
  EXPECT_EQ(small.value(), 16);
}

TEST(RunningLimitTest, CountsSmallEndsTogether) {
  RunningLimit limit(1024);
  looks_until(limit, 128, 0);
  for (int i = 0; i < 7; ++i) limit.looked(1);
  EXPECT_EQ(limit.value(), 128);
  limit.looked(1);
  EXPECT_EQ(limit.value(), 127);
}

}  // namespace
}  // namespace sealpost
