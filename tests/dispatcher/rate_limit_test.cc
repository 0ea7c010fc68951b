#include "dispatcher/rate_limit.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace sealpost {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const MonotonicTime kNow{std::chrono::hours(1000)};

TEST(RateLimitTest, SpacesEvenly) {
  RateLimit rate;
  EXPECT_EQ(rate.started(kNow, 4), kNow + milliseconds(250));
  EXPECT_EQ(rate.started(kNow + milliseconds(250), 4), kNow + milliseconds(500));
}

TEST(RateLimitTest, SavesNothingUpWhileIdle) {
  RateLimit rate;
  rate.started(kNow, 1);
  const MonotonicTime later = kNow + std::chrono::hours(1);
  EXPECT_EQ(rate.started(later, 1), later + std::chrono::seconds(1));
}

TEST(RateLimitTest, CatchesUpWithLateWakeUpsAtHighRates) {
  RateLimit rate;
  MonotonicTime allowed = kNow;
  int started = 0;
  for (MonotonicTime now = kNow; now < kNow + std::chrono::seconds(10); now += milliseconds(7)) {
    while (allowed <= now) {
      allowed = rate.started(now, 1000);
      ++started;
    }
  }
  EXPECT_NEAR(started, 10'000, 20);
}

// Whenever the loop happens to look, no span sees more than it may.
RC_GTEST_PROP(RateLimitTest, NeverLetsMoreThroughThanItsRate, ()) {
  const double per_second = *rc::gen::element(0.5, 3.0, 10.0, 99.0, 1000.0, 20'000.0);
  RateLimit rate;
  MonotonicTime now = kNow;
  MonotonicTime allowed = kNow;
  std::vector<MonotonicTime> starts;
  for (const int step : *rc::gen::container<std::vector<int>>(100, rc::gen::inRange(1, 200'000))) {
    now += microseconds(step);
    while (allowed <= now && starts.size() < 20'000) {
      starts.push_back(now);
      allowed = rate.started(now, per_second);
    }
  }
  for (std::size_t first = 0; first < starts.size(); first += 1 + starts.size() / 50) {
    for (std::size_t last = first; last < starts.size(); last += 1 + starts.size() / 50) {
      const std::chrono::duration<double> span = starts[last] - starts[first];
      RC_ASSERT(static_cast<double>(last - first) <= per_second * (span.count() + 0.0101) + 1);
    }
  }
}

}  // namespace
}  // namespace sealpost
