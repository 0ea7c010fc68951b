#include "base/check.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

TEST(CheckTest, SaysNothingWhenTheConditionHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1, "evaluated exactly once");
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, AbortsWithPlaceConditionAndMessage) {
  EXPECT_DEATH(CHECK(1 + 1 == 3, "arithmetic is broken"),
               "check_test\\.cc:[0-9]+: CHECK\\(1 \\+ 1 == 3\\) failed: arithmetic is broken");
}

}  // namespace
}  // namespace sealpost
