// Deliveries that share a row until something becomes of them.
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DeliveryBatchesTest : public StorageTest {
 protected:
  DeliveryBatchesTest() : endpoint_(add_endpoint("acme", {"*"})), epoch_(start_dispatcher("one")) {}

  std::vector<LeasedDelivery> leased(int events) {
    for (int i = 0; i < events; ++i) insert_event("acme", "a");
    return take_in(epoch_);
  }
  std::vector<LeasedDelivery> claim(Epoch epoch) {
    const ClaimRequest request{endpoint_, 100};
    return store_.claim(epoch, std::span(&request, 1), request.limit);
  }
  const EndpointId endpoint_;
  const Epoch epoch_;
};

TEST_F(DeliveryBatchesTest, WhatIsBornLeasedHasNoRowOfItsOwnAndIsSeenAllTheSame) {
  const auto deliveries = leased(3);
  ASSERT_THAT(deliveries, SizeIs(3));
  EXPECT_EQ(count("sealpost.delivery_rows"), 0);
  EXPECT_EQ(count("sealpost.delivery_batches"), 1);
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch = " + std::to_string(epoch_)), 3);
  for (const LeasedDelivery& delivery : deliveries) {
    const auto record = history_.delivery(std::nullopt, delivery.id);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->state, DeliveryState::delivering);
    EXPECT_EQ(record->event_id, delivery.event->id);
    EXPECT_EQ(record->endpoint_id, endpoint_);
  }
  EXPECT_THAT(claim(epoch_), IsEmpty());
}

TEST_F(DeliveryBatchesTest, TheLastOneTakesTheBatchAlong) {
  const auto deliveries = leased(3);
  EXPECT_EQ(finish(deliveries[1], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(finish(deliveries[0], {.next = GiveUp{FailureReason::gone}}).applied, 1);
  EXPECT_EQ(count("sealpost.delivery_batches"), 1);
  EXPECT_THAT(rows("SELECT id FROM sealpost.deliveries"), ElementsAre(deliveries[2].id.text()));
  EXPECT_EQ(finish(deliveries[2], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(count("sealpost.delivery_batches"), 0);
  EXPECT_EQ(count("sealpost.delivery_history WHERE seq > 0 AND attempts = 1"), 2);
  EXPECT_EQ(count("sealpost.dead_letters WHERE seq > 0"), 1);
}

TEST_F(DeliveryBatchesTest, AFailureMakesARowOfItsOwn) {
  const auto deliveries = leased(2);
  finish(deliveries[0], {.next = RetryAfter{Milliseconds(0)}});
  EXPECT_EQ(count("sealpost.delivery_rows WHERE attempts = 1 AND lease_epoch IS NULL"), 1);
  EXPECT_EQ(count("sealpost.deliveries"), 2);
  const auto again = claim(epoch_);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].id, deliveries[0].id);
  EXPECT_FALSE(again[0].batch);
  finish(again[0], {.next = Delivered{}});
  finish(deliveries[1], {.next = Delivered{}});
  EXPECT_EQ(count("sealpost.deliveries"), 0);
  EXPECT_EQ(count("sealpost.delivery_history"), 2);
}

TEST_F(DeliveryBatchesTest, ReleasedSkippedAndFailedOnesLeaveTheirBatch) {
  const auto deliveries = leased(3);
  store_.release(epoch_, std::vector{deliveries[0]});
  store_.skip(epoch_, std::vector{deliveries[1]});
  store_.fail(epoch_, std::vector{std::pair{deliveries[2], FailureReason::payload_refused}});
  EXPECT_EQ(count("sealpost.delivery_batches"), 0);
  EXPECT_EQ(count("sealpost.delivery_history WHERE state = 'skipped'"), 1);
  EXPECT_EQ(count("sealpost.dead_letters"), 1);
  ASSERT_THAT(claim(epoch_), SizeIs(1));
}

TEST_F(DeliveryBatchesTest, ASuccessorGetsOnlyWhatIsUnsettled) {
  const auto deliveries = leased(5);
  finish(deliveries[0], {.next = Delivered{}});
  finish(deliveries[1], {.next = RetryAfter{std::chrono::hours(1)}});
  finish(deliveries[2], {.next = GiveUp{FailureReason::gone}});
  const Registration next = registry_.start("one", std::chrono::seconds(30));
  EXPECT_EQ(next.freed, 2);
  EXPECT_EQ(count("sealpost.delivery_batches"), 0);
  const auto again = claim(next.epoch);
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].event->payload, "{}");
  EXPECT_THAT(
      rows("SELECT id FROM sealpost.deliveries ORDER BY id"),
      ElementsAre(deliveries[1].id.text(), deliveries[3].id.text(), deliveries[4].id.text()));
}

TEST_F(DeliveryBatchesTest, ALostLeaseChangesNothing) {
  const auto deliveries = leased(2);
  registry_.start("one", std::chrono::seconds(30));
  EXPECT_THAT(finish(deliveries[0], {.next = Delivered{}}).orphaned, SizeIs(1));
  EXPECT_THAT(finish(deliveries[1], {.next = GiveUp{FailureReason::gone}}).orphaned, SizeIs(1));
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL AND attempts = 0"), 2);
  EXPECT_EQ(count("sealpost.attempts WHERE orphaned"), 2);
}

TEST_F(DeliveryBatchesTest, OldBatchesAreBrokenUpAndTheirMembersStayLeased) {
  const auto old = leased(3);
  finish(old[0], {.next = Delivered{}});
  run("UPDATE sealpost.delivery_batches SET created_at = now() - interval '1 minute'");
  const auto young = leased(1);
  store_.break_up_batches(epoch_, std::chrono::seconds(10));
  EXPECT_EQ(count("sealpost.delivery_batches"), 1);
  EXPECT_EQ(count("sealpost.delivery_rows WHERE lease_epoch IS NOT NULL"), 2);
  EXPECT_EQ(finish(old[1], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(finish(old[2], {.next = RetryAfter{Milliseconds(0)}}).applied, 1);
  EXPECT_EQ(finish(young[0], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(count("sealpost.deliveries"), 1);
}

TEST_F(DeliveryBatchesTest, AnEndedEpochBreaksNothingUp) {
  leased(1);
  store_.break_up_batches(epoch_ + 1, std::chrono::seconds(0));
  EXPECT_EQ(count("sealpost.delivery_batches"), 1);
}

// The first COMMIT was lost on the way, but not its effect; the batch has other members still.
TEST_F(DeliveryBatchesTest, RecordingAgainAfterADoubtChangesNothing) {
  const auto deliveries = leased(4);
  const std::vector<FinishedAttempt> results = {
      attempt(deliveries[0], {.next = Delivered{}}),
      attempt(deliveries[1], {.next = RetryAfter{std::chrono::hours(1)}}),
      attempt(deliveries[2], {.next = GiveUp{FailureReason::gone}})};
  PgDeliveryStore doubtful(options_, master_keys_, random_);
  run("ALTER TABLE sealpost.delivery_history RENAME TO away");
  EXPECT_THROW(doubtful.finish(results, now_), StorageError);
  run("ALTER TABLE sealpost.away RENAME TO delivery_history");
  EXPECT_EQ(store_.finish(results, now_).applied, 3) << "this is what happened unseen";
  deliveries[0].batch->open += 3;

  EXPECT_THAT(doubtful.finish(results, now_).orphaned, IsEmpty());
  EXPECT_EQ(count("sealpost.attempts"), 3);
  EXPECT_EQ(count("sealpost.delivery_history"), 1);
  EXPECT_EQ(count("sealpost.dead_letters"), 1);
  EXPECT_EQ(count("sealpost.deliveries"), 2) << "the retry and the one that nothing happened to";
  EXPECT_EQ(finish(deliveries[3], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(count("sealpost.delivery_batches"), 0);
}

TEST_F(DeliveryBatchesTest, AnEventOfABatchIsKept) {
  leased(1);
  const std::string day = value("SELECT (now() AT TIME ZONE 'UTC')::date");
  run("SELECT sealpost.add_partition('outbox', 'evt_', '" + day + "')");
  EXPECT_EQ(value("SELECT sealpost.drop_partition('outbox', 'evt_', '" + day + "')"), "kept");
}

}  // namespace
}  // namespace sealpost
