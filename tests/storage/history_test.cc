#include <algorithm>

#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class HistoryTest : public StorageTest {
 protected:
  HistoryTest() : endpoint_(add_endpoint("acme", {"*"})), epoch_(start_dispatcher("one")) {}
  LeasedDelivery leased() {
    insert_event("acme", "a");
    return take_in(epoch_).at(0);
  }
  DeliveryId dead_letter() {
    const LeasedDelivery delivery = leased();
    finish(delivery, {.next = GiveUp{FailureReason::gone}});
    return delivery.id;
  }
  const EndpointId endpoint_;
  const Epoch epoch_;
};

TEST_F(HistoryTest, AReplayedDeadLetterIsDueUnderTheNextGeneration) {
  const DeliveryId id = dead_letter();
  EXPECT_EQ(history_.replay(std::nullopt, id), ReplayResult::replayed);
  const auto record = history_.delivery(std::nullopt, id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, DeliveryState::pending);
  EXPECT_EQ(record->generation, 2);
  EXPECT_EQ(record->attempts_made, 0);
  EXPECT_EQ(history_.replay(std::nullopt, id), ReplayResult::not_found)
      << "it is no dead letter any more";

  const ClaimRequest request{endpoint_, 1};
  const auto claimed = store_.claim(epoch_, std::span(&request, 1), request.limit);
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].generation, 2);
  EXPECT_EQ(finish(claimed[0], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(history_.attempts(id).size(), 2u);
}

TEST_F(HistoryTest, ReplayNeedsAnEndpointThatTakesDeliveries) {
  const DeliveryId id = dead_letter();
  endpoints_.set_status(std::nullopt, endpoint_, EndpointStatus::disabled, "", std::nullopt);
  EXPECT_EQ(history_.replay(std::nullopt, id), ReplayResult::endpoint_disabled);
  EXPECT_EQ(count("sealpost.dead_letters"), 1);
  endpoints_.set_status(std::nullopt, endpoint_, EndpointStatus::paused, "", std::nullopt);
  EXPECT_EQ(history_.replay(std::nullopt, id), ReplayResult::replayed);
}

TEST_F(HistoryTest, WhatADeletedEndpointDidNotGetCannotBeReplayed) {
  const DeliveryId id = dead_letter();
  endpoints_.set_status(std::nullopt, endpoint_, EndpointStatus::deleted, "", std::nullopt);
  EXPECT_EQ(history_.replay(std::nullopt, id), ReplayResult::endpoint_deleted);
  EXPECT_EQ(count("sealpost.dead_letters"), 1);
}

TEST_F(HistoryTest, SkippedDeliveriesCanBeReplayedDeliveredOnesCannot) {
  const LeasedDelivery skipped = leased();
  store_.skip(epoch_, std::vector{skipped});
  EXPECT_EQ(history_.replay(std::nullopt, skipped.id), ReplayResult::replayed);
  EXPECT_EQ(history_.delivery(std::nullopt, skipped.id)->state, DeliveryState::pending);
  const LeasedDelivery delivered = leased();
  finish(delivered, {.next = Delivered{}});
  EXPECT_EQ(history_.replay(std::nullopt, delivered.id), ReplayResult::not_found);
}

TEST_F(HistoryTest, ADiscardedDeadLetterIsCanceled) {
  const DeliveryId id = dead_letter();
  EXPECT_FALSE(history_.discard_dead_letter("other", id));
  EXPECT_TRUE(history_.discard_dead_letter("acme", id));
  EXPECT_FALSE(history_.discard_dead_letter("acme", id));
  EXPECT_EQ(history_.delivery(std::nullopt, id)->state, DeliveryState::canceled);
}

TEST_F(HistoryTest, AnotherTenantSeesAndTouchesNothing) {
  const DeliveryId id = dead_letter();
  const std::string other = "other";
  const EventId event(value("SELECT id FROM sealpost.outbox"));
  EXPECT_FALSE(history_.event(other, event));
  EXPECT_FALSE(history_.delivery(other, id));
  EXPECT_THAT(history_.events(other, {}).items, IsEmpty());
  EXPECT_THAT(history_.deliveries(other, {}, {}).items, IsEmpty());
  EXPECT_EQ(history_.replay(other, id), ReplayResult::not_found);
  EXPECT_TRUE(history_.event("acme", event));
  EXPECT_TRUE(history_.delivery("acme", id));
}

TEST_F(HistoryTest, PagesThroughAllStatesNewestFirst) {
  finish(leased(), {.next = Delivered{}});
  dead_letter();
  leased();
  finish(leased(), {.next = RetryAfter{std::chrono::hours(1)}});
  store_.skip(epoch_, std::vector{leased()});

  std::vector<DeliveryRecord> all;
  PageRequest page{.limit = 2, .cursor = ""};
  do {
    const auto next = history_.deliveries(std::nullopt, {}, page);
    all.insert(all.end(), next.items.begin(), next.items.end());
    page.cursor = next.next_cursor;
  } while (!page.cursor.empty());
  ASSERT_THAT(all, SizeIs(5));
  EXPECT_TRUE(std::ranges::is_sorted(all, std::greater(), &DeliveryRecord::id));
  EXPECT_EQ(history_.events(std::nullopt, {.limit = 3, .cursor = ""}).items.size(), 3u);
}

TEST_F(HistoryTest, FiltersByStateEndpointEventTypeAndTime) {
  const LeasedDelivery delivered = leased();
  finish(delivered, {.next = Delivered{}});
  dead_letter();
  const auto listed = [&](const DeliveryFilter& filter) {
    return history_.deliveries("acme", filter, {}).items.size();
  };
  DeliveryFilter filter;
  filter.state = DeliveryState::delivered;
  EXPECT_EQ(listed(filter), 1u);
  filter.state = DeliveryState::failed;
  EXPECT_EQ(listed(filter), 1u);
  for (const DeliveryState none : {DeliveryState::pending, DeliveryState::delivering,
                                   DeliveryState::skipped, DeliveryState::canceled}) {
    filter.state = none;
    EXPECT_EQ(listed(filter), 0u) << to_text(none);
  }
  filter.state.reset();
  filter.endpoint_id = endpoint_;
  EXPECT_EQ(listed(filter), 2u);
  filter.event_id = delivered.event->id;
  EXPECT_EQ(listed(filter), 1u);
  filter.event_type = "a";
  EXPECT_EQ(listed(filter), 1u);
  filter.event_type = "b";
  EXPECT_EQ(listed(filter), 0u);
  const WallTime created = history_.delivery(std::nullopt, delivered.id)->created_at;
  filter = {};
  filter.created_before = created - std::chrono::seconds(1);
  EXPECT_EQ(listed(filter), 0u);
  filter.created_before = created + std::chrono::hours(1);
  filter.created_after = created - std::chrono::seconds(1);
  EXPECT_EQ(listed(filter), 2u);
}

}  // namespace
}  // namespace sealpost
