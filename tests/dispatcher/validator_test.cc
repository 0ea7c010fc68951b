// A dispatcher whose endpoints' receivers are asked first.
#include <gmock/gmock.h>

#include "base/hash.h"
#include "core/validation.h"
#include "tests/dispatcher/running_dispatcher.h"

namespace sealpost {
namespace {

using ::testing::SizeIs;

const EndpointId kA("a");
const SecretText kSecret("whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const SecretText kNewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const Header& header : request.headers) {
    if (same_header_name(header.name, name)) return header.value;
  }
  return "";
}

bool is_challenge(const HttpRequest& request) {
  return request.body.find(kChallengeEvent) != std::string::npos;
}
bool is_question(const HttpRequest& request) {
  return request.method == HttpMethod::options || is_challenge(request);
}

AttemptOutcome met(const HttpRequest& request, const SecretText& secret) {
  AttemptOutcome outcome = answered(200);
  const auto key = challenge_key(signing_preset("standard").value(), secret);
  outcome.response_body = answer_to_challenge(request.body, key.value()).value_or("");
  return outcome;
}

AttemptOutcome consenting(std::vector<Header> headers) {
  AttemptOutcome outcome = answered(204);
  outcome.consent_headers = std::move(headers);
  return outcome;
}

class ValidatorTest : public DispatcherTest {
 protected:
  ValidatorTest() {
    database_.change_endpoint(kA, [](Endpoint& endpoint) {
      endpoint.settings.signing_profile = "standard";
      endpoint.secrets = {kSecret};
      endpoint.secret_key_ids = {"one"};
    });
  }

  ValidationState state() const { return database_.endpoint(kA).validation.state; }
  [[nodiscard]] bool wait_for(ValidationState wanted) {
    return pass_time_until([=, this] { return state() == wanted; });
  }
  std::size_t questions() const {
    const auto started = network_.started();
    return static_cast<std::size_t>(std::count_if(started.begin(), started.end(), is_question));
  }
  void answer_questions(const std::function<AttemptOutcome(const HttpRequest&)>& reply) {
    network_.script([=](const HttpRequest& request) {
      return is_question(request) ? reply(request) : answered(200);
    });
  }
  void pass(std::chrono::seconds time) {
    const MonotonicTime later = clock_.monotonic_now() + time;
    ASSERT_TRUE(pass_time_until([&] { return clock_.monotonic_now() >= later; }));
  }
};

TEST_F(ValidatorTest, NothingIsSentBeforeTheConsentAndAllOfItAfter) {
  database_.validate(kA, ValidationKind::challenge);
  start();
  insert_events(3);
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 1; }));
  pass(std::chrono::seconds{5});
  EXPECT_EQ(network_.started_count(), 1U);
  EXPECT_EQ(database_.count(DeliveryState::pending), 3U);
  const HttpRequest question = network_.started().front();
  ASSERT_TRUE(is_challenge(question));
  EXPECT_NE(header_of(question, "webhook-signature"), "");
  EXPECT_LE(question.timeout, kMaxChallengeTime);
  answer_questions([](const HttpRequest&) { return answered(500); });
  network_.answer_oldest(met(question, kSecret));
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 3; }));
  EXPECT_EQ(state(), ValidationState::valid);
}

TEST_F(ValidatorTest, ARefusalLeavesItPausedWithAReason) {
  database_.validate(kA, ValidationKind::challenge);
  answer_questions([](const HttpRequest&) { return answered(404); });
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for(ValidationState::refused));
  pass(std::chrono::seconds{60});
  EXPECT_EQ(questions(), 1U);
  EXPECT_EQ(database_.endpoint(kA).status, EndpointStatus::paused);
  EXPECT_NE(database_.endpoint(kA).validation.reason, "");
  EXPECT_EQ(database_.count(DeliveryState::pending), 1U) << "not lost";
}

TEST_F(ValidatorTest, WhoDoesNotAnswerIsAskedFourTimes) {
  database_.validate(kA, ValidationKind::challenge);
  answer_questions([](const HttpRequest&) { return failed(AttemptError::connect); });
  start();
  ASSERT_TRUE(wait_for(ValidationState::refused));
  EXPECT_EQ(questions(), 4U);
}

TEST_F(ValidatorTest, AChallengeIsRepeatedAfter72HoursAndAFailurePauses) {
  database_.validate(kA, ValidationKind::challenge);
  answer_questions([](const HttpRequest& request) { return met(request, kSecret); });
  start();
  ASSERT_TRUE(wait_for(ValidationState::valid));
  clock_.advance(std::chrono::hours{71});
  pass(std::chrono::seconds{5});
  EXPECT_EQ(questions(), 1U);
  answer_questions([](const HttpRequest&) { return answered(401); });
  clock_.advance(std::chrono::hours{1});
  ASSERT_TRUE(wait_for(ValidationState::refused));
  EXPECT_EQ(questions(), 2U);
  insert_events(1);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::pending) == 1; }));
  EXPECT_EQ(network_.started_count(), 2U);
}

TEST_F(ValidatorTest, DuringARotationEitherSecretAnswers) {
  database_.change_endpoint(kA, [](Endpoint& endpoint) {
    endpoint.secrets = {kNewSecret, kSecret};
    endpoint.secret_key_ids = {"two", "one"};
    endpoint.grace = SecretGrace{.left = std::chrono::hours{1}};
  });
  for (const SecretText& secret : {kSecret, kNewSecret}) {
    dispatcher_.reset();
    database_.validate(kA, ValidationKind::challenge);
    answer_questions([&](const HttpRequest& request) { return met(request, secret); });
    start();
    ASSERT_TRUE(wait_for(ValidationState::valid));
  }
}

// Whoever asked is gone with the answer.
TEST_F(ValidatorTest, ASuccessorAsksAgain) {
  database_.validate(kA, ValidationKind::challenge);
  start();
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 1; }));
  dispatcher_.reset();
  EXPECT_EQ(state(), ValidationState::pending);
  answer_questions([](const HttpRequest& request) { return met(request, kSecret); });
  start();
  ASSERT_TRUE(wait_for(ValidationState::valid));
  EXPECT_EQ(questions(), 2U);
}

TEST_F(ValidatorTest, AStopDoesNotWaitForAnAnswer) {
  database_.validate(kA, ValidationKind::challenge);
  start();
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 1; }));
  EXPECT_TRUE(dispatcher_->stop());
}

TEST_F(ValidatorTest, AnAnswerForWhatWasChangedMeanwhileCountsForNothing) {
  database_.validate(kA, ValidationKind::challenge);
  start();
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 1; }));
  database_.validate(kA, ValidationKind::challenge);  // as after another URL
  network_.answer_oldest(met(network_.started().front(), kSecret));
  ASSERT_TRUE(pass_time_until([&] { return network_.waiting_count() == 1; }));
  EXPECT_EQ(state(), ValidationState::pending);
}

TEST_F(ValidatorTest, ConsentByHeadersEnablesAndDeliveriesNameTheOrigin) {
  database_.change_endpoint(
      kA, [](Endpoint& endpoint) { endpoint.settings.rate_limit_per_second = 10; });
  database_.validate(kA, ValidationKind::cloudevents);
  answer_questions([](const HttpRequest&) {
    return consenting(
        {{"webhook-allowed-origin", "sender.example"}, {"webhook-allowed-rate", "60"}});
  });
  start();
  insert_events(1);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 1; }));
  const std::vector<HttpRequest> started = network_.started();
  ASSERT_THAT(started, SizeIs(2));
  EXPECT_EQ(started[0].method, HttpMethod::options);
  EXPECT_EQ(started[0].url, "https://a.example/hook");
  EXPECT_EQ(started[0].body, "");
  EXPECT_EQ(header_of(started[0], "WebHook-Request-Origin"), "sender.example");
  EXPECT_EQ(header_of(started[0], "WebHook-Request-Rate"), "600");
  EXPECT_EQ(header_of(started[0], "WebHook-Request-Callback"), "");
  EXPECT_EQ(started[1].method, HttpMethod::post);
  EXPECT_EQ(header_of(started[1], "WebHook-Request-Origin"), "sender.example");
  EXPECT_EQ(database_.endpoint(kA).rate_per_second(), 1.0);
}

TEST_F(ValidatorTest, TheAllowedRateSpacesDeliveries) {
  database_.validate(kA, ValidationKind::cloudevents);
  answer_questions([](const HttpRequest&) {
    return consenting({{"webhook-allowed-origin", "*"}, {"webhook-allowed-rate", "30"}});
  });
  start();
  insert_events(5);
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) >= 1; }));
  const MonotonicTime began = clock_.monotonic_now();
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 5; }));
  EXPECT_GE(clock_.monotonic_now() - began, std::chrono::seconds{7});
}

TEST_F(ValidatorTest, WithoutHeadersAStatusIsNoConsent) {
  database_.validate(kA, ValidationKind::cloudevents);
  answer_questions([](const HttpRequest&) { return answered(200); });
  start();
  ASSERT_TRUE(wait_for(ValidationState::refused));
}

TEST_F(ValidatorTest, TheCallbackConsentsLater) {
  validation_.public_url = "https://api.example/hooks";
  database_.validate(kA, ValidationKind::cloudevents);
  answer_questions([](const HttpRequest&) { return answered(405); });
  start();
  ASSERT_TRUE(pass_time_until([&] { return questions() == 1; }));
  pass(std::chrono::seconds{120});
  EXPECT_EQ(questions(), 1U);
  EXPECT_EQ(state(), ValidationState::pending);
  const std::string callback = header_of(network_.started().front(), "WebHook-Request-Callback");
  const std::string prefix = "https://api.example/hooks/v1/webhook-validations/";
  ASSERT_EQ(callback.substr(0, prefix.size()), prefix);
  const auto store = database_.validations();
  EXPECT_FALSE(store->consent(sha256("a guess"), {}));
  EXPECT_EQ(store->consent(sha256(callback.substr(prefix.size())), Consent{}), kA);
  insert_events(1);
  EXPECT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::delivered) == 1; }));
}

TEST_F(ValidatorTest, WithoutANameNobodyIsAsked) {
  validation_.origin.clear();
  database_.validate(kA, ValidationKind::cloudevents);
  start();
  ASSERT_TRUE(wait_for(ValidationState::refused));
  EXPECT_EQ(questions(), 0U);
  EXPECT_THAT(database_.endpoint(kA).validation.reason,
              ::testing::HasSubstr("SEALPOST_WEBHOOK_ORIGIN"));
}

}  // namespace
}  // namespace sealpost
