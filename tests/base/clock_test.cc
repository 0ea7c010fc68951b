#include "base/clock.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace sealpost {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

WallTime at(long long micros) { return WallTime(microseconds(micros)); }

TEST(ClockTest, WritesTimesAsRfc3339InUtc) {
  EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(at(1'716'792'600'000'000)), "2024-05-27T06:50:00.000Z");
  EXPECT_EQ(to_rfc3339(at(951'782'399'999'999)), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(at(951'782'400'000'000)), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(at(253'402'300'799'999'999)), "9999-12-31T23:59:59.999Z");
}

TEST(ClockTest, CutsDownToTheMillisecondOnBothSidesOfTheEpoch) {
  EXPECT_EQ(to_rfc3339(at(1'999)), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(to_rfc3339(at(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(ClockDeathTest, RefusesYearsThatRfc3339CannotWrite) {
  EXPECT_DEATH(to_rfc3339(at(253'402'300'800'000'000)), "four digits");
}

TEST(ClockTest, SystemClockGoesForward) {
  const SystemClock clock;
  const MonotonicTime before = clock.monotonic_now();
  EXPECT_LE(before, clock.monotonic_now());
  // A sanity bound on the wall clock, not a measurement: this test was written in 2026.
  EXPECT_GT(clock.wall_now(), WallTime(std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}));
}

TEST(FakeClockTest, AdvanceMovesBothClocks) {
  FakeClock clock;
  const MonotonicTime start = clock.monotonic_now();
  clock.advance(seconds{3});
  EXPECT_EQ(clock.wall_now(), FakeClock::kStart + seconds{3});
  EXPECT_EQ(clock.monotonic_now(), start + seconds{3});
}

TEST(FakeClockTest, SettingTheWallClockLeavesTheMonotonicOneAlone) {
  FakeClock clock;
  const MonotonicTime start = clock.monotonic_now();
  clock.set_wall(at(5));
  EXPECT_EQ(clock.wall_now(), at(5));
  EXPECT_EQ(clock.monotonic_now(), start);
}

}  // namespace
}  // namespace sealpost
