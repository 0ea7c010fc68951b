#include "dispatcher/finisher.h"

#include <gmock/gmock.h>

#include "tests/dispatcher/sample_endpoints.h"
#include "tests/dispatcher/wait_for.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_delivery_store.h"

namespace sealpost {
namespace {

using ::testing::Each;
using ::testing::SizeIs;
using Kind = StorageError::Kind;

// A finisher on a memory database that holds some deliveries under our lease.
class FinisherTest : public testing::Test {
 protected:
  FinisherTest() {
    database_.add_endpoint(sample_endpoint("a"));
    epoch_ = database_.registry()->start("test", std::chrono::seconds(30)).epoch;
    finisher_.start();
  }
  ~FinisherTest() override {
    database_.fail_with(nullptr);
    finisher_.stop_by(clock_.monotonic_now() + std::chrono::seconds(1));
  }

  std::vector<LeasedDelivery> lease(int count) {
    for (int i = 0; i < count; ++i) {
      database_.insert_event(sample_event("evt_" + std::to_string(i)));
    }
    std::vector<std::int16_t> all_buckets(256);
    for (std::int16_t i = 0; i < 256; ++i) all_buckets[static_cast<std::size_t>(i)] = i;
    return database_.delivery_store()
        ->intake({.epoch = epoch_,
                  .buckets = all_buckets,
                  .owners = {},
                  .max_events = count,
                  .max_leased = count,
                  .room_per_endpoint = count,
                  .rooms = {},
                  .from_position = 0})
        .leased;
  }

  FinishedAttempt result(const LeasedDelivery& delivery, Decision decision) {
    FinishedAttempt attempt;
    attempt.delivery = delivery;
    attempt.ended_at = clock_.monotonic_now();
    attempt.outcome.status_code = 200;
    attempt.decision = std::move(decision);
    return attempt;
  }

  std::vector<FinishedAttempt> delivered(const std::vector<LeasedDelivery>& deliveries) {
    std::vector<FinishedAttempt> results;
    for (const LeasedDelivery& delivery : deliveries) {
      results.push_back(result(delivery, {.next = Delivered{}, .pause_endpoint = {}}));
    }
    return results;
  }

  bool wait_until_all_is_written() {
    return wait_for([&] { return finisher_.unfinished() == 0; });
  }

  FakeClock clock_;
  MemoryDatabase database_{clock_};
  StoreHealth health_{clock_};
  DispatcherMetrics metrics_;
  Membership membership_;
  RetryTimes retry_times_;
  Epoch epoch_ = 0;
  std::atomic<int> least_seen_{-1};  // what unfinished() was when the finisher last told
  Finisher finisher_{{.store = database_.delivery_store(),
                      .endpoints = database_.endpoint_source(),
                      .retry_times = retry_times_,
                      .health = health_,
                      .metrics = metrics_,
                      .membership = membership_,
                      .clock = clock_,
                      .on_written = [this] { least_seen_ = finisher_.unfinished(); }}};
};

TEST_F(FinisherTest, KeepsStatementsSmallForAWhile) {
  const auto write = [&](int results) {
    const std::size_t before = database_.statements("finish");
    finisher_.add(delivered(lease(results)));
    EXPECT_TRUE(wait_until_all_is_written());
    return database_.statements("finish") - before;
  };
  finisher_.keep_small_until(clock_.monotonic_now() + std::chrono::seconds(1));
  EXPECT_EQ(write(10 * kFinishBatchBesideOthers), 10u);
  EXPECT_EQ(write(kFinishBatch + kFinishBatchBesideOthers), 2u) << "small ones were too slow";
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(write(10 * kFinishBatchBesideOthers), 1u);
}

TEST_F(FinisherTest, TellsWheneverThereIsRoomAgain) {
  finisher_.add(delivered(lease(1500)));
  ASSERT_TRUE(wait_for([&] { return least_seen_ == 0; }));
  least_seen_ = -1;
  finisher_.add_released(epoch_, lease(3));
  ASSERT_TRUE(wait_for([&] { return least_seen_ == 0; }));
}

TEST_F(FinisherTest, WritesManyResultsInFewStatements) {
  finisher_.add(delivered(lease(2500)));
  ASSERT_TRUE(wait_until_all_is_written());
  EXPECT_EQ(database_.count(DeliveryState::delivered), 2500u);
  EXPECT_EQ(database_.statements("finish"), 3u) << "at most 1,000 each";
}

// While many come, a result waits for company; not if nothing else can be sent meanwhile.
TEST_F(FinisherTest, WritesAtOnceWhenSendingWaitsForRoom) {
  finisher_.add(delivered(lease(60)));
  ASSERT_TRUE(wait_until_all_is_written());
  const auto began = std::chrono::steady_clock::now();
  for (int round = 0; round < 20; ++round) {
    finisher_.add(delivered(lease(60)));
    finisher_.hurry();
    ASSERT_TRUE(wait_until_all_is_written());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10 * kBusyFinishDelay);
}

TEST_F(FinisherTest, KeepsResultsWhileTheStoreIsAway) {
  const auto deliveries = lease(10);
  database_.fail_with([](const std::string&) { return StorageError(Kind::unavailable, "gone"); });
  finisher_.add(delivered(deliveries));
  ASSERT_TRUE(wait_for([&] { return database_.statements("finish") >= 2; }));
  EXPECT_EQ(finisher_.unfinished(), 10);
  EXPECT_EQ(health_.outage(), "gone");
  database_.fail_with(nullptr);
  ASSERT_TRUE(wait_until_all_is_written());
  EXPECT_EQ(database_.count(DeliveryState::delivered), 10u);
  EXPECT_EQ(health_.outage(), std::nullopt);
}

TEST_F(FinisherTest, AppliesAgainWhatIsInDoubt) {
  const auto deliveries = lease(10);
  database_.fail_with([doubts = 2](const std::string& statement) mutable {
    return statement == "finish" && doubts-- > 0
               ? std::optional(StorageError(Kind::in_doubt, "cut during COMMIT"))
               : std::nullopt;
  });
  finisher_.add(delivered(deliveries));
  ASSERT_TRUE(wait_until_all_is_written());
  EXPECT_EQ(database_.count(DeliveryState::delivered), 10u);
  EXPECT_THAT(database_.attempts(), SizeIs(10)) << "each recorded once";
  EXPECT_EQ(database_.orphaned_attempts(), 0u);
}

TEST_F(FinisherTest, OneRefusedResultDoesNotHoldUpTheOthers) {
  const auto deliveries = lease(100);
  const DeliveryId poison = deliveries[37].id;
  database_.refuse_result_of(poison);
  finisher_.add(delivered(deliveries));
  ASSERT_TRUE(wait_until_all_is_written());
  EXPECT_EQ(database_.count(DeliveryState::delivered), 99u);
  for (const auto& delivery : database_.deliveries()) {
    if (delivery.id != poison) continue;
    EXPECT_EQ(delivery.state, DeliveryState::failed);
    EXPECT_EQ(delivery.reason, FailureReason::internal);
  }
}

TEST_F(FinisherTest, RemembersWhenARetryIsDue) {
  const auto deliveries = lease(1);
  finisher_.add({result(deliveries[0], {.next = RetryAfter{Milliseconds{500}}})});
  ASSERT_TRUE(wait_until_all_is_written());
  EXPECT_THAT(retry_times_.take_due(clock_.monotonic_now() + Milliseconds{499}), SizeIs(0));
  EXPECT_THAT(retry_times_.take_due(clock_.monotonic_now() + Milliseconds{500}),
              Each(EndpointId("a")));
}

TEST_F(FinisherTest, DisablesAnEndpointThatIsGone) {
  const auto deliveries = lease(1);
  finisher_.add({result(
      deliveries[0],
      {.next = GiveUp{FailureReason::gone}, .pause_endpoint = {}, .disable_endpoint = true})});
  ASSERT_TRUE(wait_for(
      [&] { return database_.endpoint(EndpointId("a")).status == EndpointStatus::disabled; }));
  EXPECT_FALSE(database_.endpoint(EndpointId("a")).status_reason.empty());
}

TEST_F(FinisherTest, EndsDeliveriesWithoutAnAttempt) {
  const auto deliveries = lease(3);
  finisher_.add_released(epoch_, {deliveries[0]});
  finisher_.add_skipped(epoch_, {deliveries[1]});
  finisher_.add_failed(epoch_, {{deliveries[2], FailureReason::endpoint_deleted}});
  ASSERT_TRUE(wait_until_all_is_written());
  EXPECT_EQ(database_.count(DeliveryState::pending), 1u);
  EXPECT_EQ(database_.count(DeliveryState::skipped), 1u);
  EXPECT_EQ(database_.count(DeliveryState::failed), 1u);
}

TEST_F(FinisherTest, StopWritesWhatIsThere) {
  finisher_.add(delivered(lease(50)));
  finisher_.stop_by(clock_.monotonic_now() + std::chrono::seconds(30));
  EXPECT_EQ(finisher_.unfinished(), 0);
  EXPECT_EQ(database_.count(DeliveryState::delivered), 50u);
}

TEST_F(FinisherTest, StopGivesUpAtItsDeadline) {
  const auto deliveries = lease(5);
  database_.fail_with([](const std::string&) { return StorageError(Kind::unavailable, "gone"); });
  finisher_.add(delivered(deliveries));
  finisher_.stop_by(clock_.monotonic_now());
  EXPECT_EQ(finisher_.unfinished(), 5);
}

}  // namespace
}  // namespace sealpost
