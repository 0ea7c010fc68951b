#include "dispatcher/recent_requests.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RecentRequestsTest : public testing::Test {
 protected:
  RecentRequestsTest() { requests_.turn(now_); }
  void advance(MonotonicTime::duration time) { requests_.turn(now_ += time); }

  MonotonicTime now_{hours{1000}};
  RecentRequests requests_;
};

TEST_F(RecentRequestsTest, CountsWhatBeganAndHasNotEnded) {
  const auto first = requests_.began();
  requests_.began();
  EXPECT_EQ(requests_.count(), 2);
  advance(milliseconds{300});
  const auto third = requests_.began();
  EXPECT_EQ(requests_.count(), 3);
  requests_.ended(first);
  requests_.ended(third);
  EXPECT_EQ(requests_.count(), 1);
}

TEST_F(RecentRequestsTest, WhatHasRunForASecondDoesNotCount) {
  requests_.began();
  advance(milliseconds{749});
  EXPECT_EQ(requests_.count(), 1);
  advance(milliseconds{251});
  EXPECT_EQ(requests_.count(), 0);
}

TEST_F(RecentRequestsTest, AnEndAfterThatTakesNothingAway) {
  const auto old = requests_.began();
  advance(seconds{1});
  requests_.began();
  requests_.ended(old);
  EXPECT_EQ(requests_.count(), 1);
}

TEST_F(RecentRequestsTest, ALongTurnForgetsAll) {
  std::vector<RecentRequests::Period> old;
  for (int n = 0; n < 8; ++n) {
    old.push_back(requests_.began());
    advance(milliseconds{250});
  }
  EXPECT_EQ(requests_.count(), 3);
  advance(hours{1});
  EXPECT_EQ(requests_.count(), 0);
  for (const auto period : old) requests_.ended(period);
  EXPECT_EQ(requests_.count(), 0);
  requests_.began();
  EXPECT_EQ(requests_.count(), 1);
}

}  // namespace
}  // namespace sealpost
