#include "cli/options.h"

#include <gtest/gtest.h>

#include <set>

namespace sealpost {
namespace {

TEST(OptionsTest, DerivesVariableAndFlagFromTheName) {
  const Option* option = find_option("lease_seconds");
  ASSERT_NE(option, nullptr);
  EXPECT_EQ(option->environment(), "SEALPOST_LEASE_SECONDS");
  EXPECT_EQ(option->flag(), "--lease-seconds");
}

TEST(OptionsTest, HasEveryNameOnceWithADescriptionAndADefault) {
  std::set<std::string_view> names;
  for (const Option& option : options()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_FALSE(option.description.empty()) << option.name;
    EXPECT_NE(option.default_text.empty(), option.default_note.empty()) << option.name;
  }
}

TEST(OptionsTest, SuggestsTheNearestNameAndNothingForNonsense) {
  const std::vector<std::string> names{"listen", "lease_seconds", "log_level"};
  EXPECT_EQ(closest("lisen", names), "listen");
  EXPECT_EQ(closest("lease_second", names), "lease_seconds");
  EXPECT_EQ(closest("favorite_color", names), "");
}

}  // namespace
}  // namespace sealpost
