#include "dispatcher/running_limit.h"

#include <gtest/gtest.h>

#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace sealpost {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kLook = RunningLimit::kLook;

TEST(RunningLimitTest, BeginsLow) {
  EXPECT_EQ(RunningLimit(1024).value(), 64);
  EXPECT_FALSE(RunningLimit(1024).is_full());
}

TEST(RunningLimitTest, IsNeverAboveWhatIsAllowed) {
  RunningLimit limit(16);
  EXPECT_EQ(limit.value(), 16);
  EXPECT_TRUE(limit.is_full());
  limit.looked(0, kLook);
  EXPECT_EQ(limit.value(), 16);
  limit.looked(1, kLook);
  EXPECT_EQ(limit.value(), 16);
  limit.looked(1000, {});
  EXPECT_EQ(limit.value(), 16);
}

TEST(RunningLimitTest, RisesFasterAndFasterWhileNothingEnds) {
  RunningLimit limit(1024);
  limit.looked(0, kLook);
  EXPECT_EQ(limit.value(), 72);
  limit.looked(0, kLook);
  EXPECT_EQ(limit.value(), 88);
  for (int look = 2; look < 15; ++look) limit.looked(0, kLook);
  EXPECT_EQ(limit.value(), 1024);
  EXPECT_TRUE(limit.is_full());
}

TEST(RunningLimitTest, LooksThatAreCutShortCountTogether) {
  RunningLimit limit(1024);
  for (int look = 0; look < 3; ++look) limit.looked(0, kLook / 4);
  EXPECT_EQ(limit.value(), 64);
  limit.looked(0, kLook / 4);
  EXPECT_EQ(limit.value(), 72);
  for (int look = 0; look < 3; ++look) limit.looked(0, kLook / 4);
  limit.looked(3, {});
  limit.looked(0, kLook / 4);
  EXPECT_EQ(limit.value(), 72) << "something ended meanwhile";
}

TEST(RunningLimitTest, RisesByOneForOneOrTwo) {
  RunningLimit limit(1024);
  limit.looked(1, {});
  limit.looked(2, {});
  EXPECT_EQ(limit.value(), 66);
}

TEST(RunningLimitTest, SinksByTheSquareOfWhatEndedAtOnce) {
  RunningLimit limit(1024);
  while (!limit.is_full()) limit.looked(0, kLook);
  limit.looked(7, {});
  EXPECT_EQ(limit.value(), 1024);
  limit.looked(8, {});
  EXPECT_EQ(limit.value(), 1023);
  limit.looked(64, {});
  EXPECT_EQ(limit.value(), 959);
  limit.looked(900, {});
  EXPECT_EQ(limit.value(), 480) << "by half at most";
  for (int look = 0; look < 100; ++look) limit.looked(64, {});
  EXPECT_EQ(limit.value(), 64) << "never lower";
}

TEST(RunningLimitTest, TakesBackWhatIsNotUsed) {
  RunningLimit limit(1024);
  while (!limit.is_full()) limit.looked(0, kLook);
  limit.used(1024, 1);
  EXPECT_EQ(limit.value(), 1024);
  limit.used(600, 1);
  EXPECT_EQ(limit.value(), 608) << "something else holds them back";
  limit.used(700, 1);
  EXPECT_EQ(limit.value(), 608) << "using it does not raise it";
  limit.used(0, 1);
  EXPECT_EQ(limit.value(), 64);
  RunningLimit small(16);
  small.used(0, 1);
  EXPECT_EQ(small.value(), 16);
}

TEST(RunningLimitTest, IsLowerWithOthersOnTheHost) {
  RunningLimit limit(1024);
  limit.used(0, 4);
  EXPECT_EQ(limit.value(), 16);
  limit.used(0, 100);
  EXPECT_EQ(limit.value(), 8);
  limit.used(8, 1);
  EXPECT_EQ(limit.value(), 64) << "alone again";
  RunningLimit small(16);
  small.used(0, 2);
  EXPECT_EQ(small.value(), 16);
}

// A network thread with endless work: a request takes 20 us to start and 10 us to finish, and its
// receiver answers when `answer` says. While `away`, others have the processor. Returns the limit
// after `time`.
struct Simulation {
  std::function<microseconds()> answer;
  std::function<microseconds()> away = [] { return microseconds{0}; };

  int limit_after(microseconds time, RunningLimit limit = RunningLimit(1024)) {
    std::priority_queue<microseconds, std::vector<microseconds>, std::greater<>> ends;
    for (microseconds now{0}; now < time;) {
      while (static_cast<int>(ends.size()) < limit.value()) {
        now += microseconds{20};
        ends.push(now + answer());
      }
      limit.used(static_cast<int>(ends.size()), 1);
      const microseconds began = now;
      now = std::max(now, std::min<microseconds>(now + kLook, ends.top())) + away();
      int ended = 0;
      for (; !ends.empty() && ends.top() <= now; ends.pop()) ++ended;
      limit.looked(ended, now - began);
      now += ended * microseconds{10};
    }
    return limit.value();
  }
};

class RunningLimitSimulation : public testing::Test {
 protected:
  std::function<microseconds()> about(microseconds time) {
    return [this, time] {
      return microseconds(
          std::uniform_int_distribution(time.count() / 2, time.count() * 3 / 2)(random_));
    };
  }

  std::mt19937 random_{2026};
};

TEST_F(RunningLimitSimulation, StaysLowWithReceiversThatAnswerAtOnce) {
  Simulation receivers{about(microseconds{200})};
  EXPECT_LT(receivers.limit_after(seconds{2}), 100);
}

TEST_F(RunningLimitSimulation, IsAtItsTopSoonWithSlowReceivers) {
  Simulation slow{about(milliseconds{100})};
  EXPECT_EQ(slow.limit_after(milliseconds{600}), 1024);
  Simulation slower{about(seconds{1})};
  EXPECT_EQ(slower.limit_after(milliseconds{600}), 1024);
  Simulation hang{about(seconds{15})};
  EXPECT_EQ(hang.limit_after(milliseconds{100}), 1024);
  Simulation all_alike{[] { return milliseconds{100}; }};
  EXPECT_EQ(all_alike.limit_after(milliseconds{600}), 1024);
}

// 10 ms, and 30 us for each request: 333 keep the thread busy all the time.
TEST_F(RunningLimitSimulation, FindsWhatKeepsItBusyInBetween) {
  Simulation receivers{about(milliseconds{10})};
  EXPECT_GT(receivers.limit_after(seconds{2}), 230);
  EXPECT_LT(receivers.limit_after(seconds{2}), 600);
}

// Four dispatchers on two cores: the thread waits for the processor for milliseconds in each look,
// and so do the receivers.
TEST_F(RunningLimitSimulation, StaysLowOnABusyMachine) {
  Simulation busy{about(milliseconds{3}), about(milliseconds{3})};
  EXPECT_LT(busy.limit_after(seconds{2}), 200);
}

}  // namespace
}  // namespace sealpost
