// Encrypted answers on their way through a dispatcher.
#include "core/sealed_response.h"

#include <gmock/gmock.h>

#include <utility>

#include "core/sealed_json.h"
#include "tests/dispatcher/running_dispatcher.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using ::testing::SizeIs;

constexpr char kText[] = R"({"ok":true})";

class SealedResponseDispatcherTest : public DispatcherTest {
 protected:
  static Endpoint sealed_endpoint(bool required) {
    Endpoint endpoint = sample_endpoint("a");
    endpoint.settings.signing_profile = "sealed-json";
    endpoint.settings.require_encrypted_response = required;
    endpoint.secrets = {
        encode_sealed_json_secret(SecretText(std::string(kSealedJsonRootBytes, 'r')))};
    return endpoint;
  }

  // As a receiver with the endpoint's secret answers, but for what `change` does to the session.
  static AttemptOutcome encrypted_answer(
      const HttpRequest& request,
      const std::function<void(SealedSession&)>& change = [](auto&) {}) {
    FakeRandom random;
    SealedSession session = *request.sealed_session;
    change(session);
    AttemptOutcome outcome = answered(200);
    outcome.response_body = seal_response(session, "application/json", kText, random);
    outcome.response_is_packet = true;
    return outcome;
  }
  std::vector<FinishedAttempt> deliver_one() {
    start();
    insert_events(1);
    EXPECT_TRUE(pass_time_until([&] {
      return database_.count(DeliveryState::delivered) + database_.count(DeliveryState::failed) ==
             1;
    }));
    return database_.attempts();
  }
};

TEST_F(SealedResponseDispatcherTest, WhatAReceiverAnswersIsOpenedAndHandedToTheStore) {
  database_.add_endpoint(sealed_endpoint(true));
  network_.script([](const HttpRequest& request) { return encrypted_answer(request); });
  const auto attempts = deliver_one();
  ASSERT_THAT(attempts, SizeIs(1));
  ASSERT_NE(attempts[0].response_payload, nullptr);
  EXPECT_EQ(attempts[0].response_payload->reveal(), kText);
  EXPECT_EQ(attempts[0].outcome.response_decrypt_failed, std::nullopt);
}

TEST_F(SealedResponseDispatcherTest, AnAnswerThatDoesNotOpenStillDelivers) {
  database_.add_endpoint(sealed_endpoint(false));
  network_.script([](const HttpRequest& request) {
    return encrypted_answer(request, [](SealedSession& session) { session.nonce = "AAAA"; });
  });
  const auto attempts = deliver_one();
  EXPECT_EQ(database_.count(DeliveryState::delivered), 1U);
  ASSERT_THAT(attempts, SizeIs(1));
  EXPECT_EQ(attempts[0].response_payload, nullptr);
  EXPECT_EQ(attempts[0].outcome.response_decrypt_failed, ResponseProblem::wrong_nonce);
}

TEST_F(SealedResponseDispatcherTest, WhereOneIsRequiredItIsTriedAgainUntilOneOpens) {
  database_.add_endpoint(sealed_endpoint(true));
  network_.script([number = 0](const HttpRequest& request) mutable {
    switch (++number) {
      case 1:
        return answered(204);
      case 2:
        return encrypted_answer(request, [](SealedSession& session) {
          session.root = SecretText(std::string(kSealedJsonRootBytes, 'x'));
        });
      default:
        return encrypted_answer(request);
    }
  });
  const auto attempts = deliver_one();
  EXPECT_EQ(database_.count(DeliveryState::delivered), 1U);
  ASSERT_THAT(attempts, SizeIs(3));
  EXPECT_EQ(attempts[0].outcome.response_decrypt_failed, ResponseProblem::missing);
  EXPECT_EQ(attempts[1].outcome.response_decrypt_failed, ResponseProblem::not_opened);
  EXPECT_EQ(attempts[1].outcome.status_code, 200);
  EXPECT_EQ(attempts[1].response_payload, nullptr);
  EXPECT_EQ(attempts[2].response_payload->reveal(), kText);
}

TEST_F(SealedResponseDispatcherTest, WhereOneIsRequiredAndNeverComesTheDeliveryFails) {
  database_.add_endpoint(sealed_endpoint(true));
  answer_all_with(200);
  EXPECT_THAT(deliver_one(), SizeIs(3)) << "two delays, three attempts";
  EXPECT_EQ(database_.deliveries()[0].reason, FailureReason::attempts_exhausted);
}

TEST_F(SealedResponseDispatcherTest, TheAnswerToAnotherRequestDoesNotCount) {
  database_.add_endpoint(sealed_endpoint(true));
  // Always the answer to the first request.
  network_.script([first = std::optional<AttemptOutcome>()](const HttpRequest& request) mutable {
    if (!first) {
      first = encrypted_answer(request);
      return answered(503);
    }
    return *first;
  });
  const auto attempts = deliver_one();
  EXPECT_EQ(database_.count(DeliveryState::failed), 1U);
  EXPECT_EQ(attempts.back().outcome.response_decrypt_failed, ResponseProblem::wrong_session);
}

TEST_F(SealedResponseDispatcherTest, OtherProfilesTakeNoNotice) {
  network_.script([](const HttpRequest& request) {
    EXPECT_EQ(request.sealed_session, nullptr);
    AttemptOutcome outcome = answered(200);
    outcome.response_body = "no packet";
    outcome.response_is_packet = true;
    return outcome;
  });
  const auto attempts = deliver_one();
  ASSERT_THAT(attempts, SizeIs(1));
  EXPECT_EQ(attempts[0].outcome.response_decrypt_failed, std::nullopt);
}

}  // namespace
}  // namespace sealpost
