// What a dispatcher does when the database is gone, or another dispatcher takes its lease.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "dispatcher/dispatcher.h"
#include "tests/dispatcher/running_dispatcher.h"

namespace sealpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Kind = StorageError::Kind;

using DispatcherFaultTest = DispatcherTest;

MemoryDatabase::Fault always(Kind kind) {
  return [kind](const std::string&) { return StorageError(kind, "the server is gone"); };
}

MemoryDatabase::Fault once(const std::string& statement, Kind kind) {
  return [=, left = 1](const std::string& name) mutable {
    return name == statement && left-- > 0 ? std::optional(StorageError(kind, "cut"))
                                           : std::nullopt;
  };
}

TEST_F(DispatcherFaultTest, StartNeedsTheDatabase) {
  database_.fail_with(always(Kind::unavailable));
  EXPECT_THROW(start(), StorageError);
}

TEST_F(DispatcherFaultTest, ResultsAreKeptWhileTheDatabaseIsGone) {
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 10; }));
  database_.fail_with(always(Kind::unavailable));
  for (int i = 0; i < 10; ++i) network_.answer_oldest(answered(200));
  std::string why;
  ASSERT_TRUE(wait_for([&] { return !dispatcher_->is_ready(why); }));
  EXPECT_THAT(why, HasSubstr("the server is gone"));
  ASSERT_TRUE(wait_for([&] {
    return dispatcher_->metrics_text().find("sealpost_unfinished_results 10") != std::string::npos;
  }));
  database_.fail_with(nullptr);
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 10));
  EXPECT_EQ(network_.started_count(), 10u) << "nothing was sent twice";
  // Some parts ask the database again only at their next look.
  EXPECT_TRUE(pass_time_until([&] { return dispatcher_->is_ready(why); })) << why;
}

TEST_F(DispatcherFaultTest, IsReadyAgainAfterAnOutageInWhichNothingWasSent) {
  start();
  std::string why;
  database_.fail_with(always(Kind::unavailable));
  const std::size_t asked = database_.statements("break_up_batches");
  ASSERT_TRUE(
      pass_time_until([&] { return database_.statements("break_up_batches") > asked + 1; }));
  EXPECT_FALSE(dispatcher_->is_ready(why));
  database_.fail_with(nullptr);
  EXPECT_TRUE(pass_time_until([&] { return dispatcher_->is_ready(why); })) << why;
}

TEST_F(DispatcherFaultTest, StartsNothingOnceTheLeaseMayHaveRunOut) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(3);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  database_.fail_with(always(Kind::unavailable));
  clock_.advance(std::chrono::seconds(27));  // the lease minus its margin
  network_.answer_oldest(answered(200));
  std::string why;
  const std::size_t renewals = database_.statements("renew");
  ASSERT_TRUE(wait_for([&] { return database_.statements("renew") > renewals + 1; }));
  EXPECT_FALSE(dispatcher_->is_ready(why));
  EXPECT_EQ(network_.started_count(), 1u);
  answer_all_with(200);
  database_.fail_with(nullptr);  // nobody took the lease: it goes on
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 3));
  EXPECT_EQ(network_.started_count(), 3u);
}

TEST_F(DispatcherFaultTest, ALostLeaseDropsTheQueueAndBeginsANewEpoch) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(5);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  const std::vector<Epoch> before = database_.live();
  ASSERT_THAT(before, SizeIs(1));
  database_.end_epoch(before[0]);  // another dispatcher's takeover
  ASSERT_TRUE(pass_time_until([&] { return !database_.live().empty(); }));
  EXPECT_GT(database_.live()[0], before[0]);
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for([&] { return database_.orphaned_attempts() == 1; }));
  answer_all_with(200);
  ASSERT_TRUE(pass_time_until([&] {
    while (network_.waiting_count() > 0) network_.answer_oldest(answered(200));
    return database_.count(DeliveryState::delivered) == 5;
  }));
  EXPECT_EQ(network_.started_count(), 6u) << "one duplicate: the request that was in flight";
}

TEST_F(DispatcherFaultTest, DeliveriesLeasedInDoubtAreNotForgotten) {
  answer_all_with(200);
  start();
  database_.fail_with(once("intake", Kind::in_doubt));
  insert_events(20);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 20; }));
  EXPECT_EQ(network_.started_count(), 20u);
}

TEST_F(DispatcherFaultTest, ADoubtWaitsForRequestsInFlightAndMakesNoDuplicate) {
  start();
  insert_events(2);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 2; }));
  const Epoch before = database_.live().at(0);
  std::atomic<bool> doubted{false};
  database_.fail_with([&](const std::string& name) -> std::optional<StorageError> {
    if (name != "intake" || doubted.exchange(true)) return std::nullopt;
    return StorageError(Kind::in_doubt, "cut");
  });
  ASSERT_TRUE(wait_for([&] { return doubted.load(); }));
  insert_events(3);
  const std::size_t looks = database_.statements("live");
  ASSERT_TRUE(pass_time_until([&] { return database_.statements("live") > looks + 2; }));
  EXPECT_EQ(database_.live().at(0), before) << "the epoch lives on while something is in flight";
  EXPECT_EQ(network_.started_count(), 2u);
  answer_all_with(200);
  network_.answer_oldest(answered(200));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 5; }));
  EXPECT_EQ(network_.started_count(), 5u);
  EXPECT_GT(database_.live().at(0), before);
}

TEST_F(DispatcherFaultTest, TakesOverFromADeadDispatcher) {
  const Epoch dead = database_.registry()->start("dead", kLease).epoch;
  insert_events(5);
  std::vector<std::int16_t> buckets(256);
  for (std::size_t i = 0; i < 256; ++i) buckets[i] = static_cast<std::int16_t>(i);
  database_.delivery_store()->intake({.epoch = dead,
                                      .buckets = buckets,
                                      .owners = {},
                                      .max_events = 5,
                                      .max_leased = 5,
                                      .room_per_endpoint = 5,
                                      .rooms = {},
                                      .from_position = 0});
  ASSERT_EQ(database_.count(DeliveryState::delivering), 5u);
  answer_all_with(200);
  start();
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 5; }));
}

TEST_F(DispatcherFaultTest, TwoDispatchersShareTheWorkWithoutDuplicates) {
  answer_all_with(200);
  for (int i = 0; i < 20; ++i) database_.add_endpoint(sample_endpoint("e" + std::to_string(i)));
  start();
  FakeNetwork second_network(clock_);
  second_network.script([](const HttpRequest&) { return answered(200); });
  Dispatcher second({.delivery_store = [this] { return database_.delivery_store(); },
                     .registry = [this] { return database_.registry(); },
                     .endpoints = [this] { return database_.endpoint_source(); },
                     .maintenance = [this] { return database_.maintenance(); },
                     .validations = [this] { return database_.validations(); },
                     .sender = std::make_unique<FakeHttpSender>(second_network),
                     .clock = clock_,
                     .random = random_},
                    {.instance = "second", .lease = kLease, .retention = {}});
  second.start();
  const std::size_t looks = database_.statements("live");
  ASSERT_TRUE(pass_time_until([&] { return database_.statements("live") > looks + 4; }));
  insert_events(100);
  const std::size_t all = 100 * 21;
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == all; }));
  EXPECT_EQ(network_.started_count() + second_network.started_count(), all);
  EXPECT_GT(network_.started_count(), 0u);
  EXPECT_GT(second_network.started_count(), 0u);
  EXPECT_TRUE(second.stop());
}

TEST_F(DispatcherFaultTest, StoppingWithoutADatabaseEndsAndSaysSo) {
  start();
  insert_events(2);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 2; }));
  database_.fail_with(always(Kind::unavailable));
  network_.answer_oldest(answered(200));
  network_.answer_oldest(answered(200));
  std::atomic<bool> clean{true};
  std::atomic<bool> stopped{false};
  std::thread stopping([&] {
    clean = dispatcher_->stop();
    stopped = true;
  });
  ASSERT_TRUE(pass_time_until([&] { return stopped.load(); }));
  stopping.join();
  EXPECT_FALSE(clean);
}

}  // namespace
}  // namespace sealpost
