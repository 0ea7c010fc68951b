#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClaimTest : public StorageTest {
 protected:
  ClaimTest() : endpoint_(add_endpoint("acme", {"*"})), epoch_(start_dispatcher("one")) {}

  // Deliveries born pending.
  void make_waiting(int events) {
    for (int i = 0; i < events; ++i) insert_event("acme", "a");
    IntakeRequest request = intake_request(epoch_);
    request.room_per_endpoint = 0;
    store_.intake(request);
  }
  std::vector<LeasedDelivery> claim(int limit) {
    const ClaimRequest request{endpoint_, limit};
    return store_.claim(epoch_, std::span(&request, 1), request.limit);
  }
  const EndpointId endpoint_;
  const Epoch epoch_;
};

TEST_F(ClaimTest, LeasesTheOldestDueDeliveriesWithTheirEvents) {
  make_waiting(3);
  run("UPDATE sealpost.delivery_rows SET next_attempt_at = now() - seq * interval '1 second'");
  const auto claimed = claim(2);
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_GT(claimed[0].id, claimed[1].id) << "the last one is due longest";
  EXPECT_EQ(claimed[0].epoch, epoch_);
  EXPECT_EQ(claimed[0].event->type, "a");
  EXPECT_EQ(claimed[0].endpoint_version, 1);
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch = " + std::to_string(epoch_)), 2);
}

TEST_F(ClaimTest, LeavesWhatIsNotDueYet) {
  make_waiting(1);
  run("UPDATE sealpost.delivery_rows SET next_attempt_at = now() + interval '1 hour'");
  EXPECT_THAT(claim(10), IsEmpty());
  EXPECT_THAT(store_.endpoints_with_due(all_buckets(), 10), IsEmpty());
}

TEST_F(ClaimTest, SkipsRowsThatAnotherIsClaiming) {
  make_waiting(2);
  PgSession other(options_);
  other.transaction({}, [&](PgTransaction& transaction) {
    transaction.run_once("SELECT 1 FROM sealpost.delivery_rows ORDER BY id LIMIT 1 FOR UPDATE");
    EXPECT_EQ(claim(10).size(), 1u);
  });
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_F(ClaimTest, StopsWhereThereAreEnoughInAll) {
  const EndpointId second = add_endpoint("acme", {"*"});
  const EndpointId third = add_endpoint("acme", {"*"});
  make_waiting(3);
  const std::vector<ClaimRequest> requests = {{endpoint_, 10}, {second, 10}, {third, 10}};
  const auto claimed = store_.claim(epoch_, requests, 4);
  std::vector<EndpointId> whose;
  for (const LeasedDelivery& delivery : claimed) whose.push_back(delivery.endpoint_id);
  EXPECT_THAT(whose, ElementsAre(endpoint_, endpoint_, endpoint_, second));
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NOT NULL"), 4);
}

TEST_F(ClaimTest, AnEndedEpochClaimsNothing) {
  make_waiting(1);
  registry_.stop(epoch_);
  EXPECT_THAT(claim(10), IsEmpty());
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL"), 1);
}

TEST_F(ClaimTest, ADeliveryWhoseEventIsGoneIsDeadLettered) {
  make_waiting(2);
  run("DELETE FROM sealpost.outbox WHERE id = (SELECT min(id) FROM sealpost.outbox)");
  EXPECT_EQ(claim(10).size(), 1u);
  EXPECT_EQ(value("SELECT reason FROM sealpost.dead_letters"), "internal");
}

TEST_F(ClaimTest, FindsEndpointsWithDueDeliveries) {
  const EndpointId second = add_endpoint("acme", {"*"});
  make_waiting(3);
  EXPECT_THAT(store_.endpoints_with_due(all_buckets(), 10),
              testing::UnorderedElementsAre(endpoint_, second));
  EXPECT_EQ(store_.endpoints_with_due(all_buckets(), 1).size(), 1u);
  EXPECT_THAT(store_.endpoints_with_due({}, 10), IsEmpty());
}

TEST_F(ClaimTest, PausedEndpointsAreNotDueDisabledOnesAre) {
  make_waiting(1);
  endpoints_.set_status(std::nullopt, endpoint_, EndpointStatus::paused, "", std::nullopt);
  EXPECT_THAT(store_.endpoints_with_due(all_buckets(), 10), IsEmpty());
  endpoints_.set_status(std::nullopt, endpoint_, EndpointStatus::disabled, "", std::nullopt);
  EXPECT_THAT(store_.endpoints_with_due(all_buckets(), 10), ElementsAre(endpoint_));
}

TEST_F(ClaimTest, ReleaseGivesBackAsItWas) {
  make_waiting(1);
  const std::string before = value("SELECT d::text FROM sealpost.deliveries d");
  const auto claimed = claim(1);
  store_.release(epoch_ + 1, std::vector{claimed[0]});
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL"), 0) << "not the holder's";
  store_.release(epoch_, std::vector{claimed[0]});
  EXPECT_EQ(value("SELECT d::text FROM sealpost.deliveries d"), before);
}

TEST_F(ClaimTest, SkipAndFailEndDeliveriesOfTheHolderOnly) {
  make_waiting(3);
  const auto claimed = claim(3);
  store_.skip(epoch_ + 1, std::vector{claimed[0]});
  EXPECT_EQ(count("sealpost.deliveries"), 3);
  store_.skip(epoch_, std::vector{claimed[0]});
  const std::vector<std::pair<LeasedDelivery, FailureReason>> failed = {
      {claimed[1], FailureReason::endpoint_deleted}, {claimed[2], FailureReason::payload_refused}};
  store_.fail(epoch_, failed);
  EXPECT_EQ(count("sealpost.deliveries"), 0);
  EXPECT_EQ(history_.delivery(std::nullopt, claimed[0].id)->state, DeliveryState::skipped);
  EXPECT_EQ(history_.delivery(std::nullopt, claimed[1].id)->reason,
            FailureReason::endpoint_deleted);
  EXPECT_EQ(history_.delivery(std::nullopt, claimed[2].id)->reason, FailureReason::payload_refused);
}

}  // namespace
}  // namespace sealpost
