#include "base/ulid.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class IntakeTest : public StorageTest {
 protected:
  std::vector<EndpointId> receivers_of(const std::string& type) {
    insert_event("acme", type);
    std::vector<EndpointId> ids;
    for (const LeasedDelivery& delivery : take_in(epoch_)) ids.push_back(delivery.endpoint_id);
    return ids;
  }
  const Epoch epoch_ = start_dispatcher("one");
};

TEST_F(IntakeTest, MatchesExactNamesPrefixesAndEverything) {
  const EndpointId exact = add_endpoint("acme", {"invoice.paid"});
  const EndpointId prefix = add_endpoint("acme", {"invoice.*"});
  const EndpointId all = add_endpoint("acme", {"*"});
  EXPECT_THAT(receivers_of("invoice.paid"), UnorderedElementsAre(exact, prefix, all));
  EXPECT_THAT(receivers_of("invoice.paid.late"), UnorderedElementsAre(prefix, all));
  EXPECT_THAT(receivers_of("invoice"), UnorderedElementsAre(all));
  EXPECT_THAT(receivers_of("invoices.paid"), UnorderedElementsAre(all));
}

TEST_F(IntakeTest, AgreesWithTheMatcherOfTheDomain) {
  const std::vector<std::string> patterns = {"*",     "a",     "a.*", "a.b",
                                             "a.b.*", "a.b.c", "b.*", "a_b.*"};
  const std::vector<std::string> types = {"a", "a.b", "a.b.c", "a.c", "b", "b.a", "a_b.c", "A.b"};
  for (const std::string& type : types) {
    for (const std::string& pattern : patterns) {
      const std::string matched =
          value("SELECT '" + pattern + "' = ANY (sealpost.matching_patterns('" + type + "'))");
      EXPECT_EQ(matched == "t", matches_event_type(pattern, type)) << pattern << " and " << type;
    }
  }
  EXPECT_EQ(value("SELECT sealpost.matching_patterns('webhook.delivery.failed')"),
            "{webhook.delivery.failed}");
  EXPECT_FALSE(matches_event_type("*", "webhook.delivery.failed"));
}

TEST_F(IntakeTest, AnEndpointWithTwoMatchingPatternsGetsOneDelivery) {
  const EndpointId id = add_endpoint("acme", {"invoice.*", "invoice.paid", "*"});
  EXPECT_THAT(receivers_of("invoice.paid"), ElementsAre(id));
}

TEST_F(IntakeTest, OtherTenantsGetNothing) {
  add_endpoint("other", {"*"});
  insert_event("acme", "invoice.paid");
  const IntakeResult result = store_.intake(intake_request(epoch_));
  EXPECT_EQ(result.events, 1);
  EXPECT_EQ(result.deliveries, 0);
  EXPECT_EQ(count("sealpost.deliveries"), 0);
  EXPECT_EQ(count("sealpost.intake"), 0);
}

TEST_F(IntakeTest, KeepsTheOrderOfCommitsAndMakesRisingUlids) {
  add_endpoint("acme", {"*"});
  add_endpoint("acme", {"*"});
  std::vector<EventId> events;
  for (int i = 0; i < 40; ++i) events.push_back(insert_event("acme", "a"));
  const auto leased = take_in(epoch_);
  ASSERT_EQ(leased.size(), 80u);
  for (std::size_t i = 0; i < leased.size(); ++i) {
    EXPECT_EQ(leased[i].event->id, events[i / 2]);
    EXPECT_TRUE(is_prefixed_ulid(leased[i].id.text(), "dlv_")) << leased[i].id.text();
    EXPECT_TRUE(i == 0 || leased[i - 1].id < leased[i].id);
  }
  EXPECT_EQ(leased[0].event, leased[1].event) << "deliveries of one event share it";
}

TEST_F(IntakeTest, LeasesNoMoreThanThereIsRoomFor) {
  const EndpointId roomy = add_endpoint("acme", {"*"});
  const EndpointId narrow = add_endpoint("acme", {"*"});
  for (int i = 0; i < 5; ++i) insert_event("acme", "a");
  IntakeRequest request = intake_request(epoch_);
  request.rooms = {{narrow, 2}};
  const IntakeResult result = store_.intake(request);
  EXPECT_EQ(result.deliveries, 10);
  EXPECT_EQ(result.leased.size(), 7u);
  EXPECT_THAT(result.overflowed, ElementsAre(narrow));
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL AND endpoint_id = '" +
                  narrow.text() + "'"),
            3);
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL AND endpoint_id = '" +
                  roomy.text() + "'"),
            0);
}

TEST_F(IntakeTest, LeasesNoMoreThanAskedForInAll) {
  add_endpoint("acme", {"*"});
  for (int i = 0; i < 5; ++i) insert_event("acme", "a");
  IntakeRequest request = intake_request(epoch_);
  request.max_leased = 3;
  const IntakeResult result = store_.intake(request);
  EXPECT_EQ(result.leased.size(), 3u);
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL"), 2);
}

// Shares that fit are leased as a whole, the others row by row; both kinds in one batch, of several
// types each.
TEST_F(IntakeTest, LeasesTheOldestOfAShareThatDoesNotFit) {
  const EndpointId roomy = add_endpoint("acme", {"a", "b"});
  const EndpointId narrow = add_endpoint("acme", {"a", "b"});
  const EndpointId other = add_endpoint("globex", {"*"});
  std::vector<EventId> events;
  for (const char* type : {"a", "b", "a", "b"}) events.push_back(insert_event("acme", type));
  insert_event("globex", "a");
  IntakeRequest request = intake_request(epoch_);
  request.rooms = {{narrow, 3}, {other, 1}};
  const IntakeResult result = store_.intake(request);
  EXPECT_EQ(result.deliveries, 9);
  EXPECT_THAT(result.overflowed, ElementsAre(narrow));
  std::map<EndpointId, std::vector<EventId>> leased;
  for (const LeasedDelivery& delivery : result.leased) {
    leased[delivery.endpoint_id].push_back(delivery.event->id);
  }
  EXPECT_THAT(leased[roomy], ElementsAreArray(events));
  EXPECT_THAT(leased[narrow], ElementsAre(events[0], events[1], events[2]));
  EXPECT_EQ(leased[other].size(), 1u);
}

TEST_F(IntakeTest, AnEventThatSomebodyDeletedHoldsUpNobody) {
  const EndpointId id = add_endpoint("acme", {"*"});
  const EventId deleted = insert_event("acme", "a");
  const EventId kept = insert_event("acme", "a");
  run("DELETE FROM sealpost.outbox WHERE id = '" + deleted.text() + "'");
  const auto leased = take_in(epoch_);
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].event->id, kept);
  EXPECT_EQ(value("SELECT event_id || ' ' || reason FROM sealpost.dead_letters"),
            deleted.text() + " internal");
}

TEST_F(IntakeTest, LeasesOnlyEndpointsOfItsBuckets) {
  const EndpointId id = add_endpoint("acme", {"*"});
  const int bucket = std::stoi(value("SELECT bucket FROM sealpost.endpoints"));
  insert_event("acme", "a");
  IntakeRequest request = intake_request(epoch_);
  request.buckets.erase(request.buckets.begin() + bucket);
  const IntakeResult result = store_.intake(request);
  EXPECT_THAT(result.leased, IsEmpty());
  EXPECT_THAT(result.overflowed, IsEmpty()) << "another dispatcher's endpoint";
  EXPECT_EQ(value("SELECT endpoint_id FROM sealpost.deliveries WHERE lease_epoch IS NULL"),
            id.text());
}

TEST_F(IntakeTest, TakesTheOldestEventsFirstAndSaysWhereItIs) {
  add_endpoint("acme", {"*"});
  for (int i = 0; i < 5; ++i) insert_event("acme", "a");
  IntakeRequest request = intake_request(epoch_);
  request.max_events = 2;
  const IntakeResult first = store_.intake(request);
  EXPECT_EQ(first.events, 2);
  request.from_position = first.last_position + 1;
  request.max_events = 100;
  const IntakeResult second = store_.intake(request);
  EXPECT_EQ(second.events, 3);
  EXPECT_EQ(second.last_position, first.last_position + 3);
}

TEST_F(IntakeTest, LeavesEventsBeforeThePositionForASweep) {
  add_endpoint("acme", {"*"});
  insert_event("acme", "a");
  IntakeRequest request = intake_request(epoch_);
  request.from_position = 1000;
  EXPECT_EQ(store_.intake(request).events, 0);
  request.from_position = 0;
  EXPECT_EQ(store_.intake(request).events, 1);
}

// A flood of one tenant before an event of another; the same when the other one needs its order.
TEST_F(IntakeTest, TakesFewEventsOfOthersOutOfTurn) {
  add_endpoint("flood", {"*"});
  const EndpointId quiet = add_endpoint("quiet", {"*"});
  const EndpointId in_order = add_endpoint("ordered", {"*"});
  run("UPDATE sealpost.endpoints SET ordering = 'fifo' WHERE id = '" + in_order.text() + "'");
  for (int i = 0; i < 30; ++i) insert_event("flood", "a");
  const EventId early = insert_event("quiet", "a");
  insert_event("ordered", "a");
  IntakeRequest request = intake_request(epoch_);
  request.max_events = 2;
  request.newest = 16;
  const IntakeResult result = store_.intake(request);
  EXPECT_EQ(result.events, 3);
  EXPECT_EQ(result.in_turn, 2);
  ASSERT_EQ(result.leased.size(), 3u);
  EXPECT_EQ(result.leased[2].event->id, early);
  EXPECT_EQ(result.leased[2].endpoint_id, quiet);

  request.from_position = result.last_position + 1;
  request.max_events = 0;
  EXPECT_EQ(store_.intake(request).events, 0) << "the flood has most of the newest";
  request.max_events = 100;
  EXPECT_EQ(store_.intake(request).events, 29) << "the position is that of the turn";
}

TEST_F(IntakeTest, TakesOutOfTurnOnlyIfSuchAnEventCameSinceThePosition) {
  add_endpoint("flood", {"*"});
  add_endpoint("quiet", {"*"});
  for (int i = 0; i < 30; ++i) insert_event("flood", "a");
  insert_event("quiet", "a");
  const std::int64_t of_quiet = std::stoll(value("SELECT max(seq) FROM sealpost.intake"));
  insert_event("flood", "a");
  IntakeRequest request = intake_request(epoch_);
  request.max_events = 0;
  request.newest = 16;
  request.newest_from = of_quiet + 1;
  const IntakeResult nothing = store_.intake(request);
  EXPECT_EQ(nothing.events, 0) << "few since then are of the flood, but many of all";
  EXPECT_EQ(nothing.newest_position, of_quiet + 1);
  request.newest_from = of_quiet;
  EXPECT_EQ(store_.intake(request).events, 1);

  insert_event("quiet", "a");
  request.newest_from = std::stoll(value("SELECT max(seq) FROM sealpost.intake")) + 1;
  request.max_events = 2;
  EXPECT_EQ(store_.intake(request).events, 3) << "what is taken in turn takes it along";
}

TEST_F(IntakeTest, AnEndedEpochTakesNothing) {
  add_endpoint("acme", {"*"});
  insert_event("acme", "a");
  registry_.stop(epoch_);
  const IntakeResult result = store_.intake(intake_request(epoch_));
  EXPECT_EQ(result.events, 0);
  EXPECT_EQ(count("sealpost.intake"), 1);
  EXPECT_EQ(take_in(start_dispatcher("two")).size(), 1u);
}

TEST_F(IntakeTest, IsBusyWhileAnotherTakesEventsInAndLearnsHowFarItCame) {
  for (int i = 0; i < 3; ++i) insert_event("acme", "a");
  PgDeliveryStore other_store(options_, master_keys_, random_);
  IntakeRequest two = intake_request(start_dispatcher("two"));
  two.max_events = 2;
  const std::int64_t taken_to = other_store.intake(two).last_position;
  PgSession other(options_);
  other.transaction({.try_lock = 0x73706f7374000002}, [&](PgTransaction& transaction) {
    ASSERT_TRUE(transaction.locked());
    const IntakeResult result = store_.intake(intake_request(epoch_));
    EXPECT_TRUE(result.busy);
    EXPECT_EQ(result.last_position, taken_to);
  });
  const IntakeResult result = store_.intake(intake_request(epoch_));
  EXPECT_FALSE(result.busy);
  EXPECT_EQ(result.last_position, taken_to + 1);
}

TEST_F(IntakeTest, DisabledEndpointsGetSkippedDeliveries) {
  const EndpointId id = add_endpoint("acme", {"*"});
  endpoints_.set_status(std::nullopt, id, EndpointStatus::disabled, "test", std::nullopt);
  insert_event("acme", "a");
  EXPECT_THAT(take_in(epoch_), IsEmpty());
  EXPECT_EQ(count("sealpost.deliveries"), 0);
  EXPECT_EQ(value("SELECT state FROM sealpost.delivery_history"), "skipped");
}

TEST_F(IntakeTest, PausedEndpointsGetWaitingDeliveries) {
  const EndpointId id = add_endpoint("acme", {"*"});
  endpoints_.set_status(std::nullopt, id, EndpointStatus::paused, "", std::nullopt);
  insert_event("acme", "a");
  EXPECT_THAT(take_in(epoch_), IsEmpty());
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL"), 1);
}

TEST_F(IntakeTest, DeletedEndpointsGetNothing) {
  const EndpointId id = add_endpoint("acme", {"*"});
  endpoints_.set_status(std::nullopt, id, EndpointStatus::deleted, "", std::nullopt);
  insert_event("acme", "a");
  EXPECT_EQ(store_.intake(intake_request(epoch_)).deliveries, 0);
  EXPECT_EQ(count("sealpost.delivery_history"), 0);
}

TEST_F(IntakeTest, CarriesJsonByteForByte) {
  add_endpoint("acme", {"*"});
  const std::string payload =
      "{ \"b\" : 1,\n\t\"a\":  \"\\u00e9 \xC3\xA9\", \"b\":2.50e1 , \"q\":\"\\\"\\\\\"}";
  insert_event("acme", "a", payload);
  const auto leased = take_in(epoch_);
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].event->payload, payload);
  EXPECT_TRUE(leased[0].event->payload_is_json);
  EXPECT_EQ(leased[0].event->content_type, "application/json");
  EXPECT_EQ(leased[0].event->tenant, "acme");
  EXPECT_EQ(leased[0].event->type, "a");
  EXPECT_EQ(leased[0].endpoint_version, 1);
  EXPECT_EQ(leased[0].epoch, epoch_);
}

TEST_F(IntakeTest, CarriesAnyBytes) {
  add_endpoint("acme", {"*"});
  run("INSERT INTO sealpost.outbox (tenant, type, payload_bytes, content_type, ordering_key) "
      "VALUES ('acme', 'a', '\\x00ff5c22', 'application/x-protobuf', 'order 1')");
  const auto leased = take_in(epoch_);
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].event->payload, std::string("\x00\xff\x5c\x22", 4));
  EXPECT_FALSE(leased[0].event->payload_is_json);
  EXPECT_EQ(leased[0].event->content_type, "application/x-protobuf");
  EXPECT_EQ(leased[0].event->ordering_key, "order 1");
}

}  // namespace
}  // namespace sealpost
