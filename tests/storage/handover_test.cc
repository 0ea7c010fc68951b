// What one dispatcher fans out for another.
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class HandoverTest : public StorageTest {
 protected:
  HandoverTest()
      : theirs_store_(options_, master_keys_, random_),
        ours_(start_dispatcher("ours")),
        theirs_(start_dispatcher("theirs")) {}

  // Every bucket is theirs.
  IntakeRequest our_request() const {
    IntakeRequest request = intake_request(ours_);
    request.buckets.clear();
    request.owners.assign(256, theirs_);
    request.max_handed_over = 100;
    return request;
  }
  IntakeResult they_look() { return theirs_store_.intake(intake_request(theirs_)); }

  PgDeliveryStore theirs_store_;
  const Epoch ours_;
  const Epoch theirs_;
};

TEST_F(HandoverTest, WhoServesTheEndpointGetsTheDeliveriesLeased) {
  const EndpointId endpoint = add_endpoint("acme", {"*"});
  const EventId first = insert_event("acme", "a", R"({"n": 1})");
  const EventId second = insert_event("acme", "a", R"({"n": 2})");
  const IntakeResult ours = store_.intake(our_request());
  EXPECT_EQ(ours.deliveries, 2);
  EXPECT_THAT(ours.leased, IsEmpty());
  EXPECT_EQ(count("sealpost.delivery_rows"), 0) << "nothing has to be claimed";
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch = " + std::to_string(theirs_)), 2);

  const IntakeResult got = they_look();
  ASSERT_THAT(got.handed_over, SizeIs(2));
  EXPECT_EQ(got.handed_over[0].event->id, first);
  EXPECT_EQ(got.handed_over[0].event->payload, R"({"n": 1})");
  EXPECT_EQ(got.handed_over[1].event->id, second);
  EXPECT_EQ(got.handed_over[1].endpoint_id, endpoint);
  EXPECT_EQ(got.handed_over[1].epoch, theirs_);
  EXPECT_THAT(they_look().handed_over, IsEmpty());
  for (const LeasedDelivery& delivery : got.handed_over) {
    EXPECT_EQ(finish(delivery, {.next = Delivered{}}).applied, 1);
  }
  EXPECT_EQ(count("sealpost.delivery_history WHERE state = 'delivered'"), 2);
  EXPECT_EQ(count("sealpost.delivery_batches"), 0);
}

TEST_F(HandoverTest, EachOfSeveralDispatchersGetsItsOwn) {
  for (int i = 0; i < 20; ++i) add_endpoint("acme", {"*"});
  const EventId event = insert_event("acme", "a");
  IntakeRequest request = our_request();
  const Epoch third = start_dispatcher("third");
  // Ids are random, and buckets follow from them: dealt out by turns, so that each gets some.
  int turn = 0;
  for (const std::string& text : rows("SELECT DISTINCT bucket FROM sealpost.endpoints")) {
    const int bucket = std::stoi(text);
    request.owners[bucket] = std::vector{ours_, theirs_, third}[turn++ % 3];
    if (request.owners[bucket] == ours_) {
      request.buckets.push_back(static_cast<std::int16_t>(bucket));
    }
  }
  const auto leased = store_.intake(request).leased;
  const auto second = they_look().handed_over;
  PgDeliveryStore third_store(options_, master_keys_, random_);
  const auto rest = third_store.intake(intake_request(third)).handed_over;
  EXPECT_EQ(leased.size() + second.size() + rest.size(), 20u);
  for (const auto* some : {&leased, &second, &rest}) {
    ASSERT_THAT(*some, testing::Not(IsEmpty()));
    for (const LeasedDelivery& delivery : *some) {
      EXPECT_EQ(delivery.event->id, event);
      EXPECT_EQ(delivery.batch, some->front().batch);
    }
    EXPECT_EQ(some->front().batch->open, static_cast<int>(some->size()));
  }
}

TEST_F(HandoverTest, NoMoreWaitsForThemThanAgreed) {
  const EndpointId endpoint = add_endpoint("acme", {"*"});
  IntakeRequest request = our_request();
  request.max_handed_over = 3;
  insert_event("acme", "a");
  insert_event("acme", "a");
  store_.intake(request);
  insert_event("acme", "a");
  insert_event("acme", "a");
  store_.intake(request);
  EXPECT_EQ(count("sealpost.delivery_rows WHERE lease_epoch IS NULL"), 2)
      << "one would have fit, but shares are not split";
  const IntakeResult got = they_look();
  EXPECT_THAT(got.handed_over, SizeIs(2));
  EXPECT_THAT(got.overflowed, ElementsAre(endpoint)) << "and they learn what there is to claim";
}

TEST_F(HandoverTest, TheyTakeNoMoreAtOnceThanTheyAskFor) {
  add_endpoint("acme", {"*"});
  for (int i = 0; i < 4; ++i) {
    insert_event("acme", "a");
    insert_event("acme", "a");
    store_.intake(our_request());
  }
  IntakeRequest request = intake_request(theirs_);
  request.max_picked_up = 3;
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(4)) << "whole handovers";
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(4));
  EXPECT_THAT(theirs_store_.intake(request).handed_over, IsEmpty());
}

// A flood may be seconds of work; what was taken out of turn must not wait behind it.
TEST_F(HandoverTest, SmallHandoversComeFirstAndNoneIsForgotten) {
  add_endpoint("acme", {"*"});
  IntakeRequest ours = our_request();
  ours.max_handed_over = 1000;
  for (const int events : {65, 70, 2}) {
    for (int i = 0; i < events; ++i) insert_event("acme", "a");
    store_.intake(ours);
  }
  IntakeRequest request = intake_request(theirs_);
  request.max_picked_up = 1;
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(2));
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(65));
  request.from_position = 1;  // no full sweep
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(70));
  EXPECT_THAT(theirs_store_.intake(request).handed_over, IsEmpty());
}

TEST_F(HandoverTest, LargerOnesThanAskedForWait) {
  add_endpoint("acme", {"*"});
  for (const int events : {1, 3, 2}) {
    for (int i = 0; i < events; ++i) insert_event("acme", "a");
    store_.intake(our_request());
  }
  IntakeRequest request = intake_request(theirs_);
  request.largest_picked_up = 2;
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(3)) << "the first and the last";
  EXPECT_THAT(theirs_store_.intake(request).handed_over, IsEmpty());
  request.largest_picked_up = 3;
  request.from_position = 1;  // no full sweep
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(3));
}

TEST_F(HandoverTest, ASmallOneBehindVeryManyIsFound) {
  add_endpoint("acme", {"*"});
  run("INSERT INTO sealpost.handovers (epoch, id, deliveries) SELECT " + std::to_string(theirs_) +
      ", 'dlv_0' || i, 100 FROM generate_series(1000, 1999) i");
  insert_event("acme", "a");
  IntakeRequest ours = our_request();
  ours.max_handed_over = 1'000'000;
  store_.intake(ours);
  IntakeRequest request = intake_request(theirs_);
  request.largest_picked_up = 64;
  EXPECT_THAT(theirs_store_.intake(request).handed_over, SizeIs(1));
  EXPECT_EQ(count("sealpost.handovers"), 1000);
}

TEST_F(HandoverTest, DeliveriesInOrderAreToldAndNotLeased) {
  const EndpointId endpoint = add_endpoint("acme", {"*"});
  run("UPDATE sealpost.endpoints SET ordering = 'fifo'");
  insert_event("acme", "a");
  store_.intake(our_request());
  EXPECT_EQ(count("sealpost.delivery_rows WHERE lease_epoch IS NULL"), 1);
  const IntakeResult got = they_look();
  EXPECT_THAT(got.handed_over, IsEmpty());
  EXPECT_THAT(got.overflowed, ElementsAre(endpoint));
}

TEST_F(HandoverTest, AnEndedDispatcherGetsNothingAndLeavesNothingBehind) {
  add_endpoint("acme", {"*"});
  insert_event("acme", "a");
  store_.intake(our_request());
  registry_.stop(theirs_);
  EXPECT_EQ(count("sealpost.handovers"), 0);
  EXPECT_EQ(count("sealpost.delivery_rows WHERE lease_epoch IS NULL"), 1);
  insert_event("acme", "a");
  store_.intake(our_request());
  EXPECT_EQ(count("sealpost.delivery_rows WHERE lease_epoch IS NULL"), 2);
  EXPECT_THAT(they_look().handed_over, IsEmpty());
}

TEST_F(HandoverTest, WhatIsNotPickedUpIsNotBrokenUp) {
  add_endpoint("acme", {"*"});
  insert_event("acme", "a");
  store_.intake(our_request());
  theirs_store_.break_up_batches(theirs_, std::chrono::seconds{0});
  const IntakeResult got = they_look();
  ASSERT_THAT(got.handed_over, SizeIs(1));
  theirs_store_.break_up_batches(theirs_, std::chrono::seconds{0});
  EXPECT_EQ(count("sealpost.delivery_rows WHERE lease_epoch = " + std::to_string(theirs_)), 1);
  EXPECT_EQ(finish(got.handed_over[0], {.next = Delivered{}}).applied, 1);
}

TEST_F(HandoverTest, WhatHasNoRoomThereIsGivenBack) {
  const EndpointId endpoint = add_endpoint("acme", {"*"});
  insert_event("acme", "a");
  insert_event("acme", "a");
  store_.intake(our_request());
  const IntakeResult got = they_look();
  theirs_store_.release(theirs_, std::span(got.handed_over).subspan(1));
  const ClaimRequest request{endpoint, 10};
  EXPECT_THAT(theirs_store_.claim(theirs_, std::span(&request, 1), request.limit), SizeIs(1));
}

// One that was committed after a later one, as far as their ids tell.
TEST_F(HandoverTest, ASweepFindsWhatCameLate) {
  add_endpoint("acme", {"*"});
  insert_event("acme", "a");
  store_.intake(our_request());
  insert_event("acme", "a");
  store_.intake(our_request());
  run("CREATE TABLE late AS SELECT * FROM sealpost.handovers ORDER BY id LIMIT 1");
  run("DELETE FROM sealpost.handovers WHERE id IN (SELECT id FROM late)");
  EXPECT_THAT(they_look().handed_over, SizeIs(1));
  EXPECT_THAT(they_look().handed_over, IsEmpty());
  run("INSERT INTO sealpost.handovers SELECT * FROM late");
  IntakeRequest request = intake_request(theirs_);
  request.from_position = 1;
  EXPECT_THAT(theirs_store_.intake(request).handed_over, IsEmpty());
  EXPECT_THAT(they_look().handed_over, SizeIs(1)) << "from position 0: a sweep";
}

}  // namespace
}  // namespace sealpost
