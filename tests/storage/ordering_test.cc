// Deliveries in order: only the first of each key can be leased, whoever asks.
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class OrderingTest : public StorageTest {
 protected:
  OrderingTest()
      : epoch_(start_dispatcher("one")), endpoint_(ordered_endpoint(OnDeadLetter::stop)) {}

  EndpointId ordered_endpoint(OnDeadLetter rule) {
    NewEndpoint endpoint{.tenant = "acme", .settings = {}, .secret = SecretText("whsec_test")};
    endpoint.settings.url = "https://receiver.example/hook";
    endpoint.settings.enabled_events = {"*"};
    endpoint.settings.retry.delays = {Milliseconds(1000)};
    endpoint.settings.ordering = Ordering::fifo;
    endpoint.settings.on_dead_letter = rule;
    return endpoints_.create(endpoint).id;
  }

  // Its payload says which key and which number it has: "a1".
  void insert(const std::string& key, int number) {
    const PgRows row = sql_.query_once(
        "INSERT INTO sealpost.outbox (tenant, type, payload, ordering_key) "
        "VALUES ('acme', 'a', to_json($1::text), $2)",
        PgParameters()
            .add(key + std::to_string(number))
            .add(key.empty() ? std::optional<std::string>() : key));
  }
  void insert_all(const std::vector<std::string>& keys, int count) {
    for (int number = 1; number <= count; ++number) {
      for (const std::string& key : keys) insert(key, number);
    }
    EXPECT_THAT(take_in(epoch_), IsEmpty()) << "never born leased";
  }

  std::vector<LeasedDelivery> claim(Epoch epoch, int limit = 100) {
    const ClaimRequest request{endpoint_, limit};
    return store_.claim(epoch, std::span(&request, 1), request.limit);
  }
  std::vector<std::string> names(const std::vector<LeasedDelivery>& deliveries) {
    std::vector<std::string> list;
    for (const LeasedDelivery& delivery : deliveries) {
      list.push_back(delivery.event->payload.substr(1, delivery.event->payload.size() - 2));
    }
    return list;
  }

  const Epoch epoch_;
  const EndpointId endpoint_;
};

TEST_F(OrderingTest, ThoseThatComeNextCountInAllThatAreClaimed) {
  NewEndpoint any_order{.tenant = "acme", .settings = {}, .secret = SecretText("whsec_test")};
  any_order.settings.url = "https://receiver.example/hook";
  any_order.settings.enabled_events = {"*"};
  const EndpointId other = endpoints_.create(any_order).id;
  for (const char* key : {"a", "b", "c"}) insert(key, 1);
  IntakeRequest no_room = intake_request(epoch_);
  no_room.room_per_endpoint = 0;
  store_.intake(no_room);
  const std::vector<ClaimRequest> requests = {{other, 10}, {endpoint_, 10}};
  EXPECT_THAT(store_.claim(epoch_, requests, 2), SizeIs(2));
  const auto rest = store_.claim(epoch_, requests, 3);
  ASSERT_THAT(rest, SizeIs(3));
  EXPECT_EQ(rest[0].endpoint_id, endpoint_) << "those in an order come first";
  EXPECT_EQ(rest[1].endpoint_id, other);
}

TEST_F(OrderingTest, LeasesTheFirstOfEachKeyAndTheNextWhenThatIsSettled) {
  insert_all({"a", "b"}, 3);
  const auto first = claim(epoch_);
  EXPECT_THAT(names(first), UnorderedElementsAre("a1", "b1"));
  EXPECT_THAT(claim(epoch_), IsEmpty()) << "both are being delivered";
  finish(first[0], {.next = Delivered{}});
  EXPECT_THAT(names(claim(epoch_)), ElementsAre(names(first)[0].substr(0, 1) + "2"));
}

TEST_F(OrderingTest, EventsWithoutAKeyAreOneOrder) {
  insert_all({""}, 2);
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("1"));
  EXPECT_THAT(claim(epoch_), IsEmpty());
}

TEST_F(OrderingTest, ARetryKeepsItsPlace) {
  insert_all({"a"}, 2);
  finish(claim(epoch_).at(0), {.next = RetryAfter{std::chrono::hours(1)}});
  EXPECT_THAT(claim(epoch_), IsEmpty()) << "not due, and nobody passes it";
  run("UPDATE sealpost.delivery_rows SET next_attempt_at = now() WHERE attempts = 1");
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("a1"));
}

TEST_F(OrderingTest, ADeadLetterStopsItsKeyUntilItIsReplayed) {
  insert_all({"a", "b"}, 2);
  for (const LeasedDelivery& delivery : claim(epoch_)) {
    if (names({delivery})[0] == "a1") {
      finish(delivery, {.next = GiveUp{FailureReason::attempts_exhausted}});
    } else {
      finish(delivery, {.next = Delivered{}});
    }
  }
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("b2"));
  const DeliveryId dead(value("SELECT id FROM sealpost.dead_letters"));
  EXPECT_EQ(history_.replay(std::nullopt, dead), ReplayResult::replayed);
  const auto again = claim(epoch_);
  EXPECT_THAT(names(again), ElementsAre("a1")) << "before the one that waited";
  finish(again[0], {.next = Delivered{}});
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("a2"));
}

TEST_F(OrderingTest, ARemovedDeadLetterLetsTheOthersGoOn) {
  insert_all({"a"}, 2);
  finish(claim(epoch_).at(0), {.next = GiveUp{FailureReason::attempts_exhausted}});
  EXPECT_THAT(claim(epoch_), IsEmpty());
  history_.discard_dead_letter(std::nullopt,
                               DeliveryId(value("SELECT id FROM sealpost.dead_letters")));
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("a2"));
}

TEST_F(OrderingTest, AnEndpointMayGoOnBehindADeadLetter) {
  EndpointSettings settings = endpoints_.get(std::nullopt, endpoint_)->settings;
  settings.on_dead_letter = OnDeadLetter::go_on;
  endpoints_.update(std::nullopt, endpoint_, settings, std::nullopt);
  insert_all({"a"}, 2);
  finish(claim(epoch_).at(0), {.next = GiveUp{FailureReason::attempts_exhausted}});
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("a2"));
}

TEST_F(OrderingTest, TheEndOfALeaseKeepsTheOrder) {
  insert_all({"a"}, 2);
  EXPECT_THAT(names(claim(epoch_)), ElementsAre("a1"));
  const Epoch next = start_dispatcher("one");  // restarted
  const auto again = claim(next);
  EXPECT_THAT(names(again), ElementsAre("a1"));
  EXPECT_THAT(claim(next), IsEmpty());
}

TEST_F(OrderingTest, OtherEndpointsOfTheSameEventsAreNotHeldUp) {
  const EndpointId other = add_endpoint("acme", {"*"});
  for (int i = 1; i <= 3; ++i) insert("a", i);
  const auto leased = take_in(epoch_);
  EXPECT_EQ(leased.size(), 3u);
  for (const LeasedDelivery& delivery : leased) EXPECT_EQ(delivery.endpoint_id, other);
  EXPECT_EQ(count("sealpost.deliveries WHERE ordering_key = 'a'"), 3);
}

TEST_F(OrderingTest, IntakeAndLooksNameTheEndpoint) {
  insert("a", 1);
  EXPECT_THAT(store_.intake(intake_request(epoch_)).overflowed, ElementsAre(endpoint_));
  const auto buckets = all_buckets();
  EXPECT_THAT(store_.endpoints_with_due(buckets, 10), ElementsAre(endpoint_));
  finish(claim(epoch_).at(0), {.next = Delivered{}});
  EXPECT_THAT(store_.endpoints_with_due(buckets, 10), IsEmpty());
}

TEST_F(OrderingTest, ClaimsTheOldestKeysFirst) {
  insert_all({"c", "a", "b"}, 1);
  run("UPDATE sealpost.delivery_rows SET next_attempt_at = now() - seq * interval '1 second'");
  EXPECT_THAT(names(claim(epoch_, 1)), ElementsAre("b1"));
  EXPECT_THAT(names(claim(epoch_, 1)), ElementsAre("a1"));
}

}  // namespace
}  // namespace sealpost
