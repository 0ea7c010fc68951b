#include "dispatcher/schedule.h"

#include <gmock/gmock.h>

#include "tests/dispatcher/sample_endpoints.h"

namespace sealpost {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const MonotonicTime kNow{std::chrono::hours(1000)};

class ScheduleTest : public testing::Test {
 protected:
  void add(const std::string& endpoint, int count, int max_in_flight = 100) {
    const ReadyEndpointPtr ready = ready_endpoint(endpoint, max_in_flight);
    for (int i = 0; i < count; ++i) {
      const std::string id = endpoint + std::to_string(++added_[endpoint]);
      schedule_.add(ready, leased_delivery(id, endpoint));
    }
  }

  // The ids of what starts now, in order.
  std::vector<std::string> start_all(MonotonicTime now = kNow) {
    std::vector<std::string> ids;
    while (auto start = schedule_.next(now)) ids.push_back(start->delivery.id.text());
    return ids;
  }

  Schedule schedule_{1000};
  std::map<std::string, int> added_;
};

TEST_F(ScheduleTest, LanesTakeTurns) {
  add("a", 3);
  add("b", 1);
  add("c", 2);
  EXPECT_THAT(start_all(), ElementsAre("a1", "b1", "c1", "a2", "c2", "a3"));
  EXPECT_EQ(schedule_.queued(), 0);
  EXPECT_EQ(schedule_.in_flight(), 6);
}

TEST_F(ScheduleTest, TellsHowMuchIsHeldUpByNothingButSlots) {
  add("a", 5, 2);
  add("b", 3);
  EXPECT_EQ(schedule_.movable(), 8);
  schedule_.next(kNow);
  EXPECT_EQ(schedule_.movable(), 7);
  start_all();
  EXPECT_EQ(schedule_.queued(), 3) << "the rest of a, which is at its limit";
  EXPECT_EQ(schedule_.movable(), 0);
  schedule_.ended(EndpointId("a"));
  EXPECT_EQ(schedule_.movable(), 3);
  schedule_.pause(EndpointId("a"), kNow + seconds(1));
  EXPECT_EQ(schedule_.movable(), 0);
  schedule_.take_queued(EndpointId("a"));
  add("b", 2);
  EXPECT_EQ(schedule_.movable(), 2);
  schedule_.take_all();
  EXPECT_EQ(schedule_.movable(), 0);
}

TEST_F(ScheduleTest, ALateLaneIsNotBehindALongOne) {
  add("a", 500);
  EXPECT_EQ(schedule_.next(kNow)->delivery.id.text(), "a1");
  add("b", 1);
  EXPECT_EQ(schedule_.next(kNow)->delivery.id.text(), "a2");
  EXPECT_EQ(schedule_.next(kNow)->delivery.id.text(), "b1");
}

TEST_F(ScheduleTest, KeepsTheLimitOfAnEndpoint) {
  add("a", 5, 2);
  EXPECT_THAT(start_all(), ElementsAre("a1", "a2"));
  schedule_.ended(EndpointId("a"));
  EXPECT_THAT(start_all(), ElementsAre("a3"));
}

TEST_F(ScheduleTest, KeepsTheLimitOfAll) {
  schedule_ = Schedule(4);
  for (const char* endpoint : {"a", "b", "c", "d", "e"}) add(endpoint, 1);
  EXPECT_THAT(start_all(), ElementsAre("a1", "b1", "c1", "d1"));
  schedule_.ended(EndpointId("b"));
  EXPECT_THAT(start_all(), ElementsAre("e1"));
}

TEST_F(ScheduleTest, HangingEndpointsLeaveSlotsForOthers) {
  schedule_ = Schedule(100);
  for (int i = 0; i < 9; ++i) add("hanging" + std::to_string(i), 1000);
  start_all();
  EXPECT_LE(schedule_.in_flight(), 90) << "100 / (9 + 1) stay free";
  add("healthy", 3);
  EXPECT_THAT(start_all(), testing::IsSupersetOf({"healthy1", "healthy2", "healthy3"}));
}

TEST_F(ScheduleTest, ALowerLimitHoldsAtOnce) {
  add("a", 10, 5);
  EXPECT_EQ(schedule_.next(kNow)->delivery.id.text(), "a1");
  schedule_.update(ready_endpoint("a", 2));
  EXPECT_THAT(start_all(), ElementsAre("a2"));
  schedule_.update(ready_endpoint("a", 4));
  EXPECT_THAT(start_all(), ElementsAre("a3", "a4"));
}

TEST_F(ScheduleTest, APausedLaneWaitsUntilItsTime) {
  add("a", 2);
  add("b", 1);
  schedule_.pause(EndpointId("a"), kNow + seconds(10));
  EXPECT_THAT(start_all(), ElementsAre("b1"));
  EXPECT_EQ(schedule_.next_resume(), kNow + seconds(10));
  EXPECT_THAT(start_all(kNow + seconds(9)), IsEmpty());
  EXPECT_THAT(start_all(kNow + seconds(10)), ElementsAre("a1", "a2"));
  EXPECT_EQ(schedule_.next_resume(), std::nullopt);
}

TEST_F(ScheduleTest, TheLongestPauseCounts) {
  add("a", 1);
  schedule_.pause(EndpointId("a"), kNow + seconds(10));
  schedule_.pause(EndpointId("a"), kNow + seconds(30));
  schedule_.pause(EndpointId("a"), kNow + seconds(20));
  EXPECT_THAT(start_all(kNow + seconds(29)), IsEmpty());
  EXPECT_THAT(start_all(kNow + seconds(30)), ElementsAre("a1"));
}

TEST_F(ScheduleTest, APauseOutlivesTheLastRequest) {
  add("a", 1);
  EXPECT_THAT(start_all(), ElementsAre("a1"));
  schedule_.pause(EndpointId("a"), kNow + seconds(10));
  schedule_.ended(EndpointId("a"));
  add("a", 1);
  EXPECT_THAT(start_all(kNow + seconds(5)), IsEmpty());
  EXPECT_THAT(start_all(kNow + seconds(10)), ElementsAre("a2"));
}

TEST_F(ScheduleTest, TakesTheQueueOfOneEndpointOut) {
  add("a", 3, 1);
  add("b", 1);
  EXPECT_EQ(schedule_.next(kNow)->delivery.id.text(), "a1");
  EXPECT_EQ(schedule_.take_queued(EndpointId("a")).size(), 2u);
  EXPECT_EQ(schedule_.queued(), 1);
  EXPECT_THAT(start_all(), ElementsAre("b1"));
  schedule_.ended(EndpointId("a"));
  EXPECT_THAT(start_all(), IsEmpty());
}

TEST_F(ScheduleTest, TakesEverythingOut) {
  add("a", 3, 1);
  add("b", 2);
  schedule_.pause(EndpointId("b"), kNow + seconds(5));
  EXPECT_EQ(schedule_.next(kNow)->delivery.id.text(), "a1");
  EXPECT_EQ(schedule_.take_all().size(), 4u);
  EXPECT_EQ(schedule_.queued(), 0);
  EXPECT_EQ(schedule_.in_flight(), 1);
  EXPECT_THAT(start_all(kNow + seconds(5)), IsEmpty());
}

TEST_F(ScheduleTest, ForgetsIdleLanes) {
  for (int i = 0; i < 100; ++i) add("endpoint" + std::to_string(i), 1);
  start_all();
  EXPECT_EQ(schedule_.lanes(), 100u);
  for (int i = 0; i < 100; ++i) schedule_.ended(EndpointId("endpoint" + std::to_string(i)));
  EXPECT_EQ(schedule_.lanes(), 0u);
}

}  // namespace
}  // namespace sealpost
