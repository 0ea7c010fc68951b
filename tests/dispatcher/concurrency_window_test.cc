#include "dispatcher/concurrency_window.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using std::chrono::seconds;

const MonotonicTime kNow{std::chrono::hours(1000)};

TEST(ConcurrencyWindowTest, IsNoLimitAtFirst) {
  EXPECT_EQ(ConcurrencyWindow().limit(64), 64);
  EXPECT_TRUE(ConcurrencyWindow().is_full());
}

TEST(ConcurrencyWindowTest, HalvesWhatWasRunning) {
  ConcurrencyWindow window;
  window.overloaded(kNow - seconds(1), kNow, 10);
  EXPECT_EQ(window.limit(64), 5) << "and not half of 64, which it never had";
}

TEST(ConcurrencyWindowTest, IsCutOncePerRound) {
  ConcurrencyWindow window;
  for (int i = 0; i < 64; ++i) window.overloaded(kNow - seconds(1), kNow + seconds(i), 64);
  EXPECT_EQ(window.limit(64), 32);
  window.overloaded(kNow + seconds(1), kNow + seconds(70), 32);
  EXPECT_EQ(window.limit(64), 16);
}

TEST(ConcurrencyWindowTest, NeverStopsAnEndpoint) {
  ConcurrencyWindow window;
  for (int i = 0; i < 10; ++i)
    window.overloaded(kNow + seconds(2 * i), kNow + seconds(2 * i + 1), 1);
  EXPECT_EQ(window.limit(64), 1);
}

TEST(ConcurrencyWindowTest, RecoversByOnePerRoundOfSuccesses) {
  ConcurrencyWindow window;
  window.overloaded(kNow - seconds(1), kNow, 8);
  int successes = 0;
  for (; window.limit(8) < 6; ++successes) window.succeeded(8);
  EXPECT_NEAR(successes, 4 + 5, 1);
  while (!window.is_full() && successes < 1000) {
    window.succeeded(8);
    ++successes;
  }
  EXPECT_LT(successes, 40);
  EXPECT_EQ(window.limit(8), 8);
}

}  // namespace
}  // namespace sealpost
