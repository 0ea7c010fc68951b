#include "dispatcher/file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sealpost {
namespace {

rlimit current_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

TEST(FileLimitTest, RaisesTheSoftLimit) {
  const rlimit before = current_limit();
  rlimit lowered = before;
  lowered.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_FALSE(raise_open_file_limit(200));
  EXPECT_GE(current_limit().rlim_cur, 200u);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileLimitTest, SaysHowManyItMayHaveWhenTheHardLimitIsTooLow) {
  const rlimit before = current_limit();
  const auto too_few = raise_open_file_limit(before.rlim_max + 1);
  ASSERT_TRUE(too_few);
  EXPECT_EQ(too_few->allowed, before.rlim_max);
  EXPECT_EQ(too_few->needed, before.rlim_max + 1);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileLimitTest, CountsTwoFilesPerRequest) { EXPECT_GE(open_files_needed(10'000), 20'000u); }

}  // namespace
}  // namespace sealpost
