#include "core/secret_rotation.h"

#include <gtest/gtest.h>

#include "core/retry_policy.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

AttemptOutcome answered(int status_code, const std::string& body = "") {
  AttemptOutcome outcome;
  outcome.status_code = status_code;
  outcome.response_body = body;
  if (!outcome.succeeded()) outcome.receiver_error_code = read_receiver_error(body);
  return outcome;
}

AttemptOutcome unanswered() {
  AttemptOutcome outcome;
  outcome.error = AttemptError::timeout;
  return outcome;
}

MonotonicTime at(std::chrono::seconds time) { return MonotonicTime{} + 1000s + time; }

TEST(SecretRotationTest, TheOldSecretStandsLastUntilSomethingIsLearnt) {
  EXPECT_EQ(OrderBelief{}.next, SecretOrder::old_last);
}

TEST(SecretRotationTest, ARefusalSwapsTheOrder) {
  for (const int status : {400, 401, 403}) {
    const OrderBelief once = learn({}, SecretOrder::old_last, at(1s), answered(status));
    EXPECT_EQ(once.next, SecretOrder::new_last) << status;
    EXPECT_EQ(learn(once, SecretOrder::new_last, at(2s), answered(status)).next,
              SecretOrder::old_last)
        << status;
  }
}

TEST(SecretRotationTest, AnErrorThatNamesTheSignatureIsARefusal) {
  const std::string body = R"({"error":{"code":"webhook_signature_invalid"}})";
  EXPECT_EQ(learn({}, SecretOrder::old_last, at(1s), answered(422, body)).next,
            SecretOrder::new_last);
  EXPECT_FALSE(answered(200, body).signature_refused());
  EXPECT_FALSE(answered(422, "webhook_signature_invalid").signature_refused()) << "not an error";
}

TEST(SecretRotationTest, AnErrorThatNamesTheEncryptionSaysNothingOfTheSignature) {
  const auto outcome = answered(422, R"({"error":{"code":"webhook_decryption_failed"}})");
  EXPECT_FALSE(outcome.signature_refused());
  EXPECT_TRUE(outcome.keys_refused());
}

TEST(SecretRotationTest, WhatWasAcceptedStays) {
  const OrderBelief accepted = learn({}, SecretOrder::new_last, at(1s), answered(204));
  EXPECT_EQ(accepted.next, SecretOrder::new_last);
}

TEST(SecretRotationTest, OtherFailuresTeachNothing) {
  const OrderBelief before{.next = SecretOrder::new_last, .evidence = at(1s)};
  for (const AttemptOutcome& outcome :
       {answered(404), answered(422), answered(500), answered(302), unanswered()}) {
    const OrderBelief after = learn(before, SecretOrder::old_last, at(2s), outcome);
    EXPECT_EQ(after.next, before.next);
    EXPECT_EQ(after.evidence, before.evidence);
  }
}

TEST(SecretRotationTest, ManyRefusalsOfOneOrderSwapItOnce) {
  OrderBelief belief;
  for (int i = 0; i < 10; ++i) {
    belief = learn(belief, SecretOrder::old_last, at(std::chrono::seconds(i)), answered(401));
  }
  EXPECT_EQ(belief.next, SecretOrder::new_last);
}

TEST(SecretRotationTest, WhatBeganLaterCountsWhenAnswersComeInAnotherOrder) {
  // The receiver changed its secret at 5 s; the answer to a request before that comes last.
  const OrderBelief refused = learn({}, SecretOrder::old_last, at(6s), answered(401));
  const OrderBelief after = learn(refused, SecretOrder::old_last, at(4s), answered(200));
  EXPECT_EQ(after.next, SecretOrder::new_last);
}

TEST(SecretRotationTest, WhileSecretsChangeNoRefusalOfASignatureEndsADelivery) {
  const RetryPolicy strict{.delays = {Milliseconds(1000)}, .end_on = {401}, .end_on_4xx = true};
  const auto ends = [&](const AttemptOutcome& outcome, int attempt, SecretsInChange secrets) {
    return std::holds_alternative<GiveUp>(decide(strict, outcome, attempt, 0, secrets).next);
  };
  for (const int status : {400, 401, 403}) {
    EXPECT_TRUE(ends(answered(status), 1, SecretsInChange::no)) << status;
    EXPECT_FALSE(ends(answered(status), 1, SecretsInChange::yes)) << status;
    EXPECT_TRUE(ends(answered(status), 2, SecretsInChange::yes)) << "attempts are counted";
  }
  const std::string no_key = R"({"error":{"code":"webhook_decryption_failed"}})";
  EXPECT_TRUE(ends(answered(422, no_key), 1, SecretsInChange::no));
  EXPECT_FALSE(ends(answered(422, no_key), 1, SecretsInChange::yes));
  EXPECT_TRUE(ends(answered(422), 1, SecretsInChange::yes));
  EXPECT_TRUE(ends(answered(404), 1, SecretsInChange::yes));
}

}  // namespace
}  // namespace sealpost
