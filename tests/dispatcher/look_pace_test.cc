#include "dispatcher/look_pace.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LookPaceTest : public testing::Test {
 protected:
  // How long to wait after it.
  milliseconds after_look(milliseconds took, bool found = false) {
    now_ += took;
    pace_.looked(now_, took, found);
    return std::chrono::duration_cast<milliseconds>(pace_.next() - now_);
  }

  MonotonicTime now_{std::chrono::hours{1000}};
  LookPace pace_;
};

TEST_F(LookPaceTest, QuickLooksAreNotHeldBack) {
  for (int look = 0; look < 10; ++look) EXPECT_EQ(after_look(milliseconds{3}), milliseconds{0});
}

TEST_F(LookPaceTest, SlowLooksTakeAFifthOfTheTime) {
  milliseconds wait{};
  for (int look = 0; look < 10; ++look) wait = after_look(milliseconds{30});
  EXPECT_EQ(wait, milliseconds{120});
}

TEST_F(LookPaceTest, OneSlowLookSaysNothing) {
  for (int look = 0; look < 10; ++look) {
    EXPECT_EQ(after_look(milliseconds{200}), milliseconds{0});
    EXPECT_EQ(after_look(milliseconds{1}), milliseconds{0});
  }
}

TEST_F(LookPaceTest, OneQuickLookIsEnough) {
  for (int look = 0; look < 10; ++look) after_look(milliseconds{30});
  EXPECT_EQ(after_look(milliseconds{1}), milliseconds{0});
  EXPECT_EQ(after_look(milliseconds{30}), milliseconds{0});
}

TEST_F(LookPaceTest, ALookThatFindsSomethingIsNotHeldBack) {
  for (int look = 0; look < 10; ++look) after_look(milliseconds{30});
  EXPECT_EQ(after_look(milliseconds{30}, true), milliseconds{0});
}

TEST_F(LookPaceTest, TheWaitHasALimit) {
  milliseconds wait{};
  for (int look = 0; look < 20; ++look) wait = after_look(seconds{10});
  EXPECT_EQ(wait, LookPace::kLongest);
}

}  // namespace
}  // namespace sealpost
