#include "dispatcher/schedule.h"

#include <gmock/gmock.h>

#include "tests/dispatcher/sample_endpoints.h"

namespace sealpost {
namespace {

using std::chrono::milliseconds;
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

  // A request to the endpoint ended, by default with a 200; it started a millisecond ago.
  Schedule::CircuitChange end(const std::string& endpoint, int status_code = 200,
                              MonotonicTime now = kNow) {
    AttemptOutcome outcome;
    outcome.status_code = status_code;
    return end(endpoint, outcome, now);
  }
  Schedule::CircuitChange end(const std::string& endpoint, const AttemptOutcome& outcome,
                              MonotonicTime now) {
    return schedule_.ended({.endpoint = EndpointId(endpoint),
                            .outcome = outcome,
                            .started_at = now - milliseconds(1),
                            .now = now});
  }

  static AttemptOutcome failed_by(AttemptError error) {
    AttemptOutcome outcome;
    outcome.error = error;
    return outcome;
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
  end("a");
  EXPECT_EQ(schedule_.movable(), 3);
  schedule_.pause(EndpointId("a"), kNow + seconds(1));
  EXPECT_EQ(schedule_.movable(), 0);
  schedule_.take_queued(EndpointId("a"));
  add("b", 2);
  EXPECT_EQ(schedule_.movable(), 2);
  schedule_.take_all();
  EXPECT_EQ(schedule_.movable(), 0);
}

TEST_F(ScheduleTest, WhatWaitsForAHangingEndpointIsNotEnoughToDo) {
  add("hanging", 1000, 1000);
  EXPECT_EQ(start_all().size(), 375u);
  EXPECT_EQ(schedule_.movable(), 32) << "nothing is known of it yet";
  end("hanging");
  EXPECT_EQ(schedule_.movable(), 625) << "it works";
  start_all(kNow + seconds(1));
  EXPECT_EQ(schedule_.movable(), 250) << "it may have 1,000 at once, each a second";
  start_all(kNow + seconds(10));
  EXPECT_EQ(schedule_.movable(), 25);
  EXPECT_TRUE(schedule_.wants_slots());
  end("hanging", 200, kNow + seconds(10));
  EXPECT_EQ(schedule_.movable(), 499) << "it works again, and fast";
  add("hanging", 1, 1000);
  EXPECT_EQ(schedule_.movable(), 500);
  end("hanging", failed_by(AttemptError::connection_lost), kNow + seconds(10));
  EXPECT_EQ(schedule_.movable(), 32) << "it fails, however fast";
}

TEST_F(ScheduleTest, OfASlowEndpointCountsWhatItTakesSoon) {
  add("slow", 1000, 1000);
  start_all();
  AttemptOutcome outcome;
  outcome.status_code = 200;
  MonotonicTime now = kNow;
  for (int i = 0; i < 50; ++i) {
    now += milliseconds(10);
    schedule_.ended({EndpointId("slow"), outcome, now - seconds(2), now});
    EXPECT_EQ(start_all(now).size(), 1u);
  }
  EXPECT_EQ(schedule_.queued(), 575);
  EXPECT_EQ(schedule_.movable(), 125) << "1,000 at a time, each 2 s";
}

TEST_F(ScheduleTest, ManySlowEndpointsTogetherAreNotEnoughToDo) {
  for (int i = 0; i < 100; ++i) add("slow" + std::to_string(i), 100);
  start_all();
  AttemptOutcome outcome;
  outcome.status_code = 200;
  for (int i = 0; i < 100; ++i) {
    schedule_.ended({EndpointId("slow" + std::to_string(i)), outcome, kNow - seconds(1), kNow});
  }
  EXPECT_GT(schedule_.queued(), 8'000);
  EXPECT_LE(schedule_.movable(), 300) << "1,000 at a time, each a second";
}

// A busy machine has one or two requests in flight for each of them.
TEST_F(ScheduleTest, WhatQuickEndpointsHaveQueuedIsEnoughToDo) {
  for (int i = 0; i < 16; ++i) add("quick" + std::to_string(i), 200);
  AttemptOutcome outcome;
  outcome.status_code = 200;
  for (int i = 0; i < 16; ++i) schedule_.next(kNow);
  for (int i = 0; i < 16; ++i) {
    schedule_.ended(
        {EndpointId("quick" + std::to_string(i)), outcome, kNow - milliseconds(20), kNow});
  }
  EXPECT_EQ(schedule_.movable(), 16 * 199);
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
  end("a");
  EXPECT_THAT(start_all(), ElementsAre("a3"));
}

TEST_F(ScheduleTest, KeepsTheLimitOfAll) {
  schedule_ = Schedule(4);
  for (const char* endpoint : {"a", "b", "c", "d", "e"}) add(endpoint, 1);
  EXPECT_THAT(start_all(), ElementsAre("a1", "b1", "c1", "d1"));
  end("b");
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

TEST_F(ScheduleTest, EndpointsThatHangOneAfterTheOtherLeaveSlotsForQuickOnes) {
  schedule_ = Schedule(100);
  for (int i = 0; i < 10; ++i) {
    add("hanging" + std::to_string(i), 1000);
    start_all();
  }
  EXPECT_LE(schedule_.in_flight(), 75 + 10);
  add("quick", 5);
  EXPECT_THAT(start_all(), ElementsAre("quick1")) << "nothing is known of it yet";
  end("quick");
  EXPECT_THAT(start_all(), ElementsAre("quick2", "quick3", "quick4", "quick5"));
  add("quick", 1);
  EXPECT_THAT(start_all(kNow + seconds(2)), IsEmpty()) << "it hangs now, too";
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
  end("a");
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
  end("a");
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

TEST_F(ScheduleTest, WhatIsWithdrawnWasNeverInFlight) {
  add("a", 2, 1);
  start_all();
  schedule_.withdrawn(EndpointId("a"));
  EXPECT_THAT(start_all(), ElementsAre("a2"));
}

TEST_F(ScheduleTest, SpacesTheRequestsOfARateLimitedEndpoint) {
  const ReadyEndpointPtr limited =
      ready_endpoint("a", [](EndpointSettings& s) { s.rate_limit_per_second = 2; });
  for (int i = 1; i <= 3; ++i)
    schedule_.add(limited, leased_delivery("a" + std::to_string(i), "a"));
  add("b", 1);
  EXPECT_THAT(start_all(), ElementsAre("a1", "b1"));
  EXPECT_EQ(schedule_.next_resume(), kNow + milliseconds(500));
  EXPECT_THAT(start_all(kNow + milliseconds(499)), IsEmpty());
  EXPECT_THAT(start_all(kNow + milliseconds(500)), ElementsAre("a2"));
  end("a", 200, kNow + milliseconds(600));
  EXPECT_THAT(start_all(kNow + milliseconds(999)), IsEmpty()) << "the end of one changes nothing";
  EXPECT_THAT(start_all(kNow + milliseconds(1000)), ElementsAre("a3"));
}

TEST_F(ScheduleTest, AnOverloadedEndpointGetsHalfAndRecoversOneByOne) {
  add("a", 100, 8);
  EXPECT_EQ(start_all().size(), 8u);
  end("a", 429);
  for (int i = 0; i < 3; ++i) end("a", 503);
  EXPECT_THAT(start_all(), IsEmpty()) << "four are running, and four is the limit now";
  end("a");
  EXPECT_EQ(start_all().size(), 1u);
  // A round of four successes allows a fifth.
  MonotonicTime now = kNow;
  for (int i = 0; i < 4; ++i) {
    now += seconds(1);
    end("a", 200, now);
    start_all(now);
  }
  EXPECT_EQ(schedule_.in_flight(), 5);
}

class OutageTest : public ScheduleTest {
 protected:
  // Requests that fail one after the other until the circuit opens; returns when that was.
  MonotonicTime fail_until_open(const std::string& endpoint) {
    for (MonotonicTime now = kNow;; now += milliseconds(500)) {
      EXPECT_EQ(start_all(now).size(), 1u);
      const auto change = end(endpoint, 500, now);
      if (std::holds_alternative<Schedule::CircuitOpened>(change)) return now;
      if (now - kNow > seconds(60)) {
        ADD_FAILURE() << "it never opened";
        return now;
      }
    }
  }
};

// Refusing a connection takes no time, so nothing else would bound how often that happens.
TEST_F(OutageTest, EndpointsThatFailEveryTimeTogetherGetFewRequests) {
  for (const std::string endpoint : {"a", "b", "c"}) add(endpoint, 5000, 10);
  std::size_t started = 0;
  for (MonotonicTime now = kNow; now < kNow + seconds(1); now += milliseconds(1)) {
    std::vector<std::string> refused;
    while (auto start = schedule_.next(now)) refused.push_back(start->delivery.endpoint_id.text());
    started += refused.size();
    for (const auto& endpoint : refused) end(endpoint, failed_by(AttemptError::connect), now);
  }
  // Twenty failures each, and those that were in flight with the twentieth; then one per 2 ms.
  EXPECT_GE(started, 3u * 20 + 400);
  EXPECT_LE(started, 3u * 30 + 500);
}

TEST_F(OutageTest, WhoAnswersAfterFailuresGetsAllAgain) {
  add("a", 100, 10);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(schedule_.next(kNow));
    end("a", 500);
  }
  EXPECT_THAT(start_all(), IsEmpty()) << "spaced";
  EXPECT_EQ(start_all(kNow + milliseconds(2)).size(), 1u);
  end("a", 200, kNow + milliseconds(3));
  EXPECT_EQ(start_all(kNow + milliseconds(3)).size(), 10u);
}

TEST_F(OutageTest, ACircuitLetsOneProbeThrough) {
  add("a", 1000, 1);
  const MonotonicTime opened = fail_until_open("a");
  EXPECT_EQ(schedule_.open_circuits(), 1);
  EXPECT_THAT(start_all(opened), IsEmpty());
  EXPECT_EQ(schedule_.movable(), 0) << "held up";
  const MonotonicTime probing = opened + seconds(1);
  EXPECT_EQ(start_all(probing).size(), 1u);
  EXPECT_THAT(start_all(probing + seconds(10)), IsEmpty()) << "one probe at a time";
  // The probe fails: twice the pause.
  const auto change = end("a", failed_by(AttemptError::timeout), probing + seconds(10));
  ASSERT_TRUE(std::holds_alternative<Schedule::CircuitOpened>(change));
  EXPECT_EQ(std::get<Schedule::CircuitOpened>(change).until, probing + seconds(12));
  EXPECT_EQ(start_all(probing + seconds(12)).size(), 1u);
  const auto closed = end("a", 404, probing + seconds(13));
  EXPECT_TRUE(std::holds_alternative<Schedule::CircuitClosed>(closed)) << "somebody answered";
  EXPECT_EQ(schedule_.open_circuits(), 0);
}

TEST_F(OutageTest, WhatIsLearnedOutlivesTheWork) {
  add("a", 100, 1);
  const MonotonicTime opened = fail_until_open("a");
  schedule_.take_queued(EndpointId("a"));
  EXPECT_EQ(schedule_.lanes(), 1u) << "paused";
  start_all(opened + seconds(2));
  EXPECT_EQ(schedule_.lanes(), 1u) << "learned";
  add("a", 2, 1);
  EXPECT_EQ(start_all(opened + seconds(3)).size(), 1u) << "still one probe";
  end("a", 500, opened + seconds(4));
  schedule_.take_queued(EndpointId("a"));
  start_all(opened + std::chrono::minutes(20));
  EXPECT_EQ(schedule_.lanes(), 0u);
  EXPECT_EQ(schedule_.open_circuits(), 0);
}

TEST_F(OutageTest, AChangedEndpointStartsAfresh) {
  add("a", 100, 1);
  const MonotonicTime opened = fail_until_open("a");
  schedule_.update(ready_endpoint("a", 10));
  EXPECT_EQ(schedule_.open_circuits(), 0);
  EXPECT_EQ(start_all(opened).size(), 10u);
}

// One failure each is worth remembering, but not of more endpoints than that.
TEST_F(ScheduleTest, RemembersNoMoreLanesWithoutWorkThanItMay) {
  constexpr std::size_t kEndpoints = kMaxLanes + 100;
  for (std::size_t n = 0; n < kEndpoints; ++n) {
    const std::string endpoint = "e" + std::to_string(n);
    add(endpoint, 1);
    ASSERT_THAT(start_all(), testing::SizeIs(1));
    end(endpoint, 500);
  }
  EXPECT_EQ(schedule_.lanes(), kMaxLanes);
  add("e0", 1);
  EXPECT_THAT(start_all(), testing::SizeIs(1)) << "a newcomer is sent to all the same";
}

TEST_F(ScheduleTest, ForgetsIdleLanes) {
  for (int i = 0; i < 100; ++i) add("endpoint" + std::to_string(i), 1);
  start_all();
  EXPECT_EQ(schedule_.lanes(), 100u);
  for (int i = 0; i < 100; ++i) end("endpoint" + std::to_string(i));
  EXPECT_EQ(schedule_.lanes(), 0u);
}

}  // namespace
}  // namespace sealpost
