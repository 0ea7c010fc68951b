#include "dispatcher/file_limit.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

namespace sealpost {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_EQ(raise_open_file_limit(200), std::nullopt);
  EXPECT_GE(current_limit().rlim_cur, 200u);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileLimitTest, SaysWhatToDoWhenTheHardLimitIsTooLow) {
  const rlimit before = current_limit();
  const auto problem = raise_open_file_limit(before.rlim_max + 1);
  ASSERT_TRUE(problem.has_value());
  EXPECT_THAT(*problem, HasSubstr("SEALPOST_MAX_IN_FLIGHT"));
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileLimitTest, CountsTwoFilesPerRequest) { EXPECT_GE(open_files_needed(10'000), 20'000u); }

}  // namespace
}  // namespace sealpost
