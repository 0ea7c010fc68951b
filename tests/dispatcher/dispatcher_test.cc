// What a dispatcher does when nothing is broken but receivers.
#include "dispatcher/dispatcher.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/limits.h"
#include "dispatcher/bucket_owner.h"
#include "tests/dispatcher/running_dispatcher.h"

namespace sealpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const EndpointId kA("a");

TEST_F(DispatcherTest, DeliversEveryEventOnce) {
  answer_all_with(200);
  start();
  insert_events(5000);
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 5000));
  EXPECT_EQ(network_.started_count(), 5000u);
  EXPECT_TRUE(dispatcher_->stop());
  EXPECT_EQ(network_.started_count(), 5000u);
  EXPECT_THAT(database_.attempts(), SizeIs(5000));
}

TEST_F(DispatcherTest, FansOutToEveryMatchingEndpoint) {
  answer_all_with(200);
  database_.add_endpoint(sample_endpoint("b"));
  Endpoint other = sample_endpoint("c");
  other.settings.enabled_events = {"refund.*"};
  database_.add_endpoint(other);
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 20));
  EXPECT_EQ(network_.started_count(), 20u);
}

TEST_F(DispatcherTest, TriesAgainAfterTheDelayAndNotBefore) {
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  network_.answer_oldest(answered(503));
  ASSERT_TRUE(wait_for_state(DeliveryState::pending, 1));
  clock_.advance(Milliseconds{999});
  const std::size_t looks = database_.statements("intake");
  ASSERT_TRUE(wait_for([&] { return database_.statements("intake") > looks + 2; }));
  EXPECT_EQ(network_.started_count(), 1u);
  clock_.advance(Milliseconds{1});
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  const auto attempts = database_.attempts();
  ASSERT_THAT(attempts, SizeIs(2));
  EXPECT_EQ(attempts[0].attempt_number, 1);
  EXPECT_EQ(attempts[1].attempt_number, 2);
  EXPECT_GE(attempts[1].started_at - attempts[0].started_at, Milliseconds{1'000});
}

TEST_F(DispatcherTest, DeadLettersAfterTheLastAttempt) {
  network_.script([](const HttpRequest&) { return failed(AttemptError::timeout); });
  start();
  insert_events(1);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::failed) == 1; }));
  EXPECT_THAT(database_.attempts(), SizeIs(3)) << "two delays, three attempts";
  EXPECT_EQ(database_.deliveries()[0].reason, FailureReason::attempts_exhausted);
}

TEST_F(DispatcherTest, RecordsWhatTheReceiverSaysIsWrongWhenItRefuses) {
  constexpr char kBody[] = R"({"error":{"code":"webhook_decryption_failed","message":"no key"}})";
  network_.script([&, refused = false](const HttpRequest&) mutable {
    AttemptOutcome outcome = answered(std::exchange(refused, true) ? 200 : 422);
    outcome.response_body = kBody;
    return outcome;
  });
  start();
  insert_events(1);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 1; }));
  const auto attempts = database_.attempts();
  ASSERT_THAT(attempts, SizeIs(2));
  EXPECT_EQ(attempts[0].outcome.receiver_error_code, ReceiverErrorCode::webhook_decryption_failed);
  EXPECT_EQ(attempts[1].outcome.receiver_error_code, std::nullopt) << "a 2xx refuses nothing";
}

TEST_F(DispatcherTest, DeadLettersAPayloadThatCannotBeSent) {
  Endpoint strict = sample_endpoint("a");
  strict.settings.envelope = Envelope::standard;
  database_.add_endpoint(strict);
  start();
  Event binary = sample_event("evt_binary");
  binary.payload = "\x01\x02";
  binary.payload_is_json = false;
  database_.insert_event(binary);
  ASSERT_TRUE(wait_for_state(DeliveryState::failed, 1));
  EXPECT_EQ(database_.deliveries()[0].reason, FailureReason::payload_refused);
  EXPECT_EQ(network_.started_count(), 0u);
}

// --- limits --------------------------------------------------------------------------------------

TEST_F(DispatcherTest, NeverExceedsTheLimitOfAnEndpoint) {
  database_.add_endpoint(sample_endpoint("a", 3));
  start();
  insert_events(20);
  for (int answered_count = 0; answered_count < 20; ++answered_count) {
    ASSERT_TRUE(wait_for([&] { return network_.waiting_count() > 0; }));
    network_.answer_oldest(answered(200));
  }
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 20));
  EXPECT_EQ(network_.most_in_flight(), 3);
}

TEST_F(DispatcherTest, LeavesEventsInTheStoreWhenTheQueueIsFull) {
  start();  // nothing is ever answered
  insert_events(3 * kMaxQueuedPerEndpoint);
  ASSERT_TRUE(wait_for([&] { return database_.in_intake() == 0; }));
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 100; }));
  EXPECT_LE(database_.count(DeliveryState::delivering), 100u + kMaxQueuedPerEndpoint);
  EXPECT_GE(database_.count(DeliveryState::pending), 1u * kMaxQueuedPerEndpoint);
}

TEST_F(DispatcherTest, WorksOffWhatDidNotFitAtFirst) {
  start();
  insert_events(3 * kMaxQueuedPerEndpoint);
  ASSERT_TRUE(wait_for([&] { return database_.in_intake() == 0; }));
  answer_all_with(200);
  while (network_.waiting_count() > 0) network_.answer_oldest(answered(200));
  const std::size_t all = 3 * kMaxQueuedPerEndpoint;
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == all; }));
  EXPECT_EQ(network_.started_count(), all);
}

TEST_F(DispatcherTest, WhileQuietTenantsWaitSmallStatementsTakeTheirEventsAlong) {
  Endpoint quiet = sample_endpoint("quiet");
  quiet.tenant = "quiet";
  database_.add_endpoint(quiet);
  const auto insert_quiet = [&](int i) {
    Event event = sample_event("evt_quiet_" + std::to_string(i));
    event.tenant = "quiet";
    database_.insert_event(event);
  };
  insert_events(10 * kIntakeEvents);
  insert_quiet(0);  // found by a look
  answer_all_with(200);
  start();
  for (int i = 1; database_.mixed_intakes() < 3; ++i) {
    const std::size_t before = database_.statements("intake");
    insert_quiet(i);
    ASSERT_TRUE(wait_for([&] { return database_.statements("intake") > before + 1; }));
    ASSERT_GT(database_.in_intake(), 0u) << "the flood must outlast the test";
  }
}

// Also while there is little to send and the flood is taken in: then everybody in a statement waits
// for all that it takes.
TEST_F(DispatcherTest, AQuietTenantsEventComesBeforeAFloodInAStatementOfItsOwn) {
  Endpoint quiet = sample_endpoint("quiet");
  quiet.tenant = "quiet";
  database_.add_endpoint(quiet);
  insert_events(10 * kIntakeEvents);
  Event event = sample_event("evt_quiet");
  event.tenant = "quiet";
  database_.insert_event(event);
  answer_all_with(200);
  start();
  const std::size_t all = 10 * kIntakeEvents + 1;
  ASSERT_TRUE(pass_time_until([&] { return database_.attempts().size() == all; }));
  const auto attempts = database_.attempts();
  const auto when = std::ranges::find(attempts, EndpointId("quiet"), [](const auto& attempt) {
    return attempt.delivery.endpoint_id;
  });
  EXPECT_LT(when - attempts.begin(), 5 * kIntakeEvents);
  EXPECT_EQ(database_.mixed_intakes(), 0u);
}

// No time passes here, so the quiet tenant's event was taken just now until the end.
TEST_F(DispatcherTest, AFloodIsTakenInSmallPortionsWhileAQuietTenantIsActive) {
  Endpoint quiet = sample_endpoint("quiet");
  quiet.tenant = "quiet";
  database_.add_endpoint(quiet);
  constexpr std::size_t kFlood = 10 * kIntakeEvents;
  insert_events(static_cast<int>(kFlood));
  Event event = sample_event("evt_quiet");
  event.tenant = "quiet";
  database_.insert_event(event);
  answer_all_with(200);
  start();
  ASSERT_TRUE(wait_for([&] { return database_.attempts().size() == kFlood + 1; }));
  constexpr std::size_t kInOnePortion = 50;
  EXPECT_GE(database_.statements("intake"), (kFlood - kIntakeEvents) / kInOnePortion);
}

TEST_F(DispatcherTest, StopsTakingEventsWhenManyEndpointsAreFull) {
  for (int i = 0; i < 40; ++i)
    database_.add_endpoint(sample_endpoint("hanging" + std::to_string(i)));
  start();
  insert_events(2000);
  ASSERT_TRUE(wait_for([&] { return database_.in_intake() < 2000; }));
  const std::size_t looks = database_.statements("live");
  ASSERT_TRUE(pass_time_until([&] { return database_.statements("live") > looks + 2; }));
  EXPECT_LE(database_.count(DeliveryState::delivering), 1000u + kMaxQueued);
}

TEST_F(DispatcherTest, ManyHangingEndpointsDoNotKeepEventsFromOthers) {
  for (int i = 0; i < 40; ++i)
    database_.add_endpoint(sample_endpoint("hanging" + std::to_string(i)));
  Endpoint other = sample_endpoint("other");
  other.settings.enabled_events = {"refund.*"};
  database_.add_endpoint(other);
  start();
  insert_events(2000);
  Event last = sample_event("evt_last");
  last.type = "refund.created";
  database_.insert_event(last);
  ASSERT_TRUE(pass_time_until([&] {
    const auto deliveries = database_.deliveries();
    return std::ranges::any_of(deliveries, [](const auto& delivery) {
      return delivery.endpoint_id.text() == "other" && delivery.state == DeliveryState::delivering;
    });
  }));
}

// How many run at once is bounded by what keeps the network thread busy, and those do not.
TEST_F(DispatcherTest, RequestsThatHangLeaveOthersAsManyAtOnceAsEver) {
  constexpr int kHanging = 200;
  database_.add_endpoint(sample_endpoint("a", kHanging));
  Endpoint other = sample_endpoint("other", 100);
  other.settings.enabled_events = {"refund.*"};
  database_.add_endpoint(other);
  start();
  insert_events(kHanging);
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == kHanging; }));
  clock_.advance(Milliseconds{1'100});
  for (int i = 0; i < 100; ++i) {
    Event event = sample_event("evt_other" + std::to_string(i));
    event.type = "refund.created";
    database_.insert_event(event);
  }
  EXPECT_TRUE(wait_for([&] { return network_.waiting_count() >= kHanging + 64; }));
}

TEST_F(DispatcherTest, ClaimsWhatWaitsForManyEndpointsTogether) {
  for (int i = 0; i < 400; ++i) database_.add_endpoint(sample_endpoint("b" + std::to_string(i)));
  start();
  insert_events(1);
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 401; }));
  for (int i = 0; i < 401; ++i) network_.answer_oldest(answered(503));
  ASSERT_TRUE(wait_for_state(DeliveryState::pending, 401));
  const std::size_t claims = database_.statements("claim");
  clock_.advance(Milliseconds{1'000});
  ASSERT_TRUE(wait_for_state(DeliveryState::delivering, 401));
  EXPECT_LE(database_.statements("claim"), claims + 10);
}

// --- endpoints that may not be called
// --------------------------------------------------------------

TEST_F(DispatcherTest, APauseAskedForByTheReceiverHoldsTheWholeEndpoint) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(3);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  AttemptOutcome busy = answered(429);
  busy.retry_after = Milliseconds{5'000};
  network_.answer_oldest(busy);
  ASSERT_TRUE(wait_for([&] { return !database_.attempts().empty(); }));
  clock_.advance(Milliseconds{4'900});
  const std::size_t looks = database_.statements("intake");
  ASSERT_TRUE(wait_for([&] { return database_.statements("intake") > looks + 2; }));
  EXPECT_EQ(network_.started_count(), 1u);
  answer_all_with(200);
  clock_.advance(Milliseconds{100});
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 3));
}

TEST_F(DispatcherTest, ARateLimitedEndpointGetsItsRequestsSpaced) {
  Endpoint endpoint = sample_endpoint("a");
  endpoint.settings.rate_limit_per_second = 10;
  database_.add_endpoint(endpoint);
  answer_all_with(200);
  const MonotonicTime began = clock_.monotonic_now();
  start();
  insert_events(21);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 21; }));
  EXPECT_GE(clock_.monotonic_now() - began, std::chrono::seconds(2));
}

// An outage costs a probe now and then, and no write for deliveries that wait.
TEST_F(DispatcherTest, ADeadEndpointGetsProbesUntilItAnswers) {
  Endpoint endpoint = sample_endpoint("a", 4);
  endpoint.settings.retry.delays.assign(50, Milliseconds{1'000});
  database_.add_endpoint(endpoint);
  network_.script([](const HttpRequest&) { return failed(AttemptError::connect); });
  start();
  insert_events(40);
  ASSERT_TRUE(pass_time_until([&] {
    return dispatcher_->metrics_text().find("sealpost_circuits_open 1") != std::string::npos;
  }));
  const std::size_t before = network_.started_count();
  const MonotonicTime opened = clock_.monotonic_now();
  ASSERT_TRUE(
      pass_time_until([&] { return clock_.monotonic_now() - opened > std::chrono::minutes(1); }));
  EXPECT_GE(network_.started_count(), before + 3);
  EXPECT_LE(network_.started_count(), before + 8) << "pauses of 1, 2, 4, 8, 16 and 30 s";
  answer_all_with(200);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 40; }));
  EXPECT_THAT(dispatcher_->metrics_text(), HasSubstr("sealpost_circuits_open 0"));
}

TEST_F(DispatcherTest, ChangingAnEndpointEndsItsPause) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(3);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  AttemptOutcome busy = answered(429);
  busy.retry_after = std::chrono::hours(5);
  answer_all_with(200);
  network_.answer_oldest(busy);
  ASSERT_TRUE(wait_for([&] { return !database_.attempts().empty(); }));
  database_.change_endpoint(kA, [](Endpoint& e) { e.settings.max_in_flight = 2; });
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 2; }));
}

TEST_F(DispatcherTest, DisablingAnEndpointSkipsWhatIsQueued) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for([&] { return database_.in_intake() == 0; }));
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  database_.change_endpoint(kA, [](Endpoint& e) { e.status = EndpointStatus::disabled; });
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::skipped) == 9; }));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  EXPECT_EQ(network_.started_count(), 1u);
}

TEST_F(DispatcherTest, DeletingAnEndpointFailsWhatIsQueued) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for([&] { return database_.in_intake() == 0; }));
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  database_.change_endpoint(kA, [](Endpoint& e) { e.status = EndpointStatus::deleted; });
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::failed) == 9; }));
  for (const auto& delivery : database_.deliveries()) {
    if (delivery.state == DeliveryState::failed) {
      EXPECT_EQ(delivery.reason, FailureReason::endpoint_deleted);
    }
  }
}

TEST_F(DispatcherTest, PausingAnEndpointGivesBackWhatIsQueuedUntilItGoesOn) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  database_.change_endpoint(kA, [](Endpoint& e) { e.status = EndpointStatus::paused; });
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::pending) == 9; }));
  network_.answer_oldest(answered(200));
  EXPECT_EQ(network_.started_count(), 1u);
  answer_all_with(200);
  database_.change_endpoint(kA, [](Endpoint& e) { e.status = EndpointStatus::enabled; });
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 10; }));
}

TEST_F(DispatcherTest, AnEndpointThatCannotBeSignedForIsHeldUntilItIsRepaired) {
  Endpoint broken = sample_endpoint("a");
  broken.settings.signing_profile = "standard";  // and no secret
  database_.add_endpoint(broken);
  answer_all_with(200);
  start();
  insert_events(5);
  ASSERT_TRUE(wait_for_state(DeliveryState::pending, 5));
  EXPECT_THAT(dispatcher_->metrics_text(), HasSubstr("sealpost_endpoints_unusable 1"));
  EXPECT_EQ(network_.started_count(), 0u);
  database_.change_endpoint(kA, [](Endpoint& e) { e.settings.signing_profile = "none"; });
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 5; }));
}

// Those beyond the limit are found by a later look.
TEST_F(DispatcherTest, MoreEndpointsMayWaitThanAreRemembered) {
  constexpr std::size_t kEndpoints = kMaxWaitingEndpoints + 500;
  const auto id_of = [](std::size_t n) { return "e" + std::to_string(n); };
  for (std::size_t n = 0; n < kEndpoints; ++n) {
    Endpoint endpoint = sample_endpoint(id_of(n));
    endpoint.status = EndpointStatus::paused;
    database_.add_endpoint(endpoint);
  }
  answer_all_with(200);
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_state(DeliveryState::pending, kEndpoints));
  for (std::size_t n = 0; n < kEndpoints; ++n) {
    database_.change_endpoint(EndpointId(id_of(n)),
                              [](Endpoint& e) { e.status = EndpointStatus::enabled; });
  }
  constexpr std::size_t kAll = kEndpoints + 1;  // and the fixture's
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == kAll; }));
}

// There was no room for all of them, and the endpoint's load is remembered as closed.
TEST_F(DispatcherTest, WhatWaitsForADisabledEndpointIsSkippedToo) {
  database_.add_endpoint(sample_endpoint("a", 1));
  start();
  constexpr std::size_t kEvents = 2 * kMaxQueuedPerEndpoint;
  insert_events(static_cast<int>(kEvents));
  ASSERT_TRUE(wait_for([&] { return database_.in_intake() == 0; }));
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 1; }));
  ASSERT_GT(database_.count(DeliveryState::pending), 0u);
  database_.change_endpoint(kA, [](Endpoint& e) { e.status = EndpointStatus::disabled; });
  ASSERT_TRUE(
      pass_time_until([&] { return database_.count(DeliveryState::skipped) == kEvents - 1; }));
  EXPECT_EQ(network_.started_count(), 1u);
}

TEST_F(DispatcherTest, AGoneEndpointIsDisabled) {
  Endpoint endpoint = sample_endpoint("a", 1);
  endpoint.settings.retry.end_on = {410};
  endpoint.settings.retry.disable_endpoint_on_gone = true;
  database_.add_endpoint(endpoint);
  answer_all_with(410);
  start();
  insert_events(10);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::skipped) == 9; }));
  EXPECT_EQ(database_.count(DeliveryState::failed), 1u);
  EXPECT_EQ(network_.started_count(), 1u);
}

// --- other dispatchers
// --------------------------------------------------------------------------------

TEST_F(DispatcherTest, GivesBackWhatIsQueuedForARateLimitedEndpointThatAnotherServesNow) {
  constexpr Epoch kOurs = 101;
  constexpr Epoch kOther = 102;
  Endpoint endpoint = sample_endpoint("a");
  endpoint.settings.rate_limit_per_second = 0.01;
  endpoint.bucket = owned_buckets(kOther, std::vector<Epoch>{kOurs, kOther}).front();
  database_.add_endpoint(endpoint);
  answer_all_with(200);
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivering, 9));
  ASSERT_EQ(database_.registry()->start("other", std::chrono::hours(1)).epoch, kOther);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::pending) == 9; }));
  EXPECT_EQ(network_.started_count(), 1u);
}

TEST_F(DispatcherTest, ANewcomerWaitsUntilOthersHaveStoppedSendingToARateLimitedEndpoint) {
  ASSERT_EQ(database_.registry()->start("other", std::chrono::hours(1)).epoch, 101);
  Endpoint endpoint = sample_endpoint("a");
  endpoint.settings.rate_limit_per_second = 1000;
  endpoint.bucket = owned_buckets(102, std::vector<Epoch>{101, 102}).front();
  database_.add_endpoint(endpoint);
  answer_all_with(200);
  const MonotonicTime began = clock_.monotonic_now();
  start();
  insert_events(1);
  ASSERT_TRUE(pass_time_until([&] { return network_.started_count() == 1; }));
  EXPECT_GE(clock_.monotonic_now() - began, std::chrono::seconds(2));
}

TEST_F(DispatcherTest, WhatIsHandedOverToItIsSentAsFarAsThereIsRoomAndElseGivenBack) {
  database_.add_endpoint(sample_endpoint("a"));
  start();
  ASSERT_TRUE(wait_for([&] { return database_.live() == std::vector<Epoch>{101}; }));
  database_.hand_over(101, EndpointId("a"), kMaxQueuedPerEndpoint + 5);
  ASSERT_TRUE(wait_for([&] { return database_.count(DeliveryState::pending) == 5; }));
  EXPECT_EQ(database_.count(DeliveryState::delivering), std::size_t{kMaxQueuedPerEndpoint});
  EXPECT_TRUE(wait_for([&] { return network_.waiting_count() > 0; }))
      << "the network thread may come after those that were given back";
}

// --- stopping
// --------------------------------------------------------------------------------------

TEST_F(DispatcherTest, StopWaitsForRequestsInFlightAndGivesBackTheRest) {
  database_.add_endpoint(sample_endpoint("a", 2));
  start();
  insert_events(10);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 2; }));
  ASSERT_TRUE(wait_for([&] { return database_.count(DeliveryState::delivering) == 10; }));
  std::atomic<bool> clean{false};
  std::thread stopping([&] { clean = dispatcher_->stop(); });
  ASSERT_TRUE(wait_for([&] { return database_.count(DeliveryState::pending) == 8; }));
  network_.answer_oldest(answered(200));
  network_.answer_oldest(answered(200));
  stopping.join();
  EXPECT_TRUE(clean);
  EXPECT_EQ(database_.count(DeliveryState::delivered), 2u);
  EXPECT_EQ(database_.count(DeliveryState::delivering), 0u);
  EXPECT_EQ(network_.started_count(), 2u);
  EXPECT_TRUE(database_.live().empty());
}

TEST_F(DispatcherTest, StopGivesUpAfterTheDrainTime) {
  start();
  insert_events(3);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 3; }));
  std::atomic<bool> clean{true};
  std::atomic<bool> stopped{false};
  std::thread stopping([&] {
    clean = dispatcher_->stop();
    stopped = true;
  });
  ASSERT_TRUE(pass_time_until([&] { return stopped.load(); }));
  stopping.join();
  EXPECT_FALSE(clean);
  EXPECT_EQ(database_.count(DeliveryState::pending), 3u) << "their leases ended with the epoch";
}

TEST_F(DispatcherTest, HurryCutsTheDrainShort) {
  start();
  insert_events(3);
  ASSERT_TRUE(wait_for([&] { return network_.waiting_count() == 3; }));
  dispatcher_->hurry();
  EXPECT_FALSE(dispatcher_->stop());
  EXPECT_EQ(database_.count(DeliveryState::delivering), 0u);
}

TEST_F(DispatcherTest, IsReadyAndLiveWhileItRuns) {
  start();
  std::string why;
  EXPECT_TRUE(dispatcher_->is_ready(why)) << why;
  EXPECT_TRUE(wait_for([&] { return dispatcher_->is_live(); }));
  EXPECT_THAT(dispatcher_->metrics_text(), HasSubstr("sealpost_lease_held 1"));
}

}  // namespace
}  // namespace sealpost
