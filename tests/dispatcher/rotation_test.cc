// A dispatcher while the secrets of an endpoint change.
#include <gmock/gmock.h>

#include "core/limits.h"
#include "tests/dispatcher/running_dispatcher.h"

namespace sealpost {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

const EndpointId kA("a");
const SecretText kOld("whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const SecretText kNew("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

class RotationTest : public DispatcherTest {
 protected:
  RotationTest() {
    Endpoint endpoint = sample_endpoint("a");
    endpoint.settings.signing_profile = "standard";
    endpoint.settings.retry.end_on_4xx = true;
    endpoint.secrets = {kOld};
    endpoint.secret_key_ids = {"old"};
    database_.add_endpoint(endpoint);
  }

  void rotate(std::chrono::seconds grace) {
    database_.change_endpoint(kA, [&](Endpoint& endpoint) {
      endpoint.secrets = {kNew, kOld};
      endpoint.secret_key_ids = {"new", "old"};
      endpoint.grace = SecretGrace{.left = grace};
    });
  }

  std::vector<std::string> key_ids() const {
    std::vector<std::string> ids;
    for (const FinishedAttempt& attempt : database_.attempts()) {
      ids.push_back(attempt.signature_key_ids);
    }
    return ids;
  }

  [[nodiscard]] bool wait_for_waiting(std::size_t count) {
    return pass_time_until([=, this] { return network_.waiting_count() == count; });
  }
};

TEST_F(RotationTest, ARefusalDuringTheGraceSwapsTheOrderAndEndsNoDelivery) {
  rotate(std::chrono::hours{1});
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(403));
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 2));
  EXPECT_THAT(key_ids(), ElementsAre("new,old", "old,new", "old,new"));
}

TEST_F(RotationTest, AfterTheGraceTheNewSecretSignsAlone) {
  rotate(std::chrono::seconds{10});
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  const MonotonicTime later = clock_.monotonic_now() + std::chrono::seconds{10};
  ASSERT_TRUE(pass_time_until([&] { return clock_.monotonic_now() >= later; }));
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 2));
  EXPECT_THAT(key_ids(), ElementsAre("new,old", "new"));
}

// The receiver learned of the new secret before the dispatcher did.
TEST_F(RotationTest, ARefusalIsFinalOnlyOnceItIsCertainThatTheSecretsAreTheSame) {
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  rotate(std::chrono::hours{1});
  network_.answer_oldest(answered(403));
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(200));
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  EXPECT_THAT(key_ids(), ElementsAre("old", "new,old"));
}

// The receiver opens only what is for its new key, and the dispatcher has not heard of it yet.
TEST_F(RotationTest, ARefusalIsNotFinalIfTheBodyWasEncryptedForAKeyThatIsNotThePrimaryOneAnyMore) {
  const EncryptionKey first = encryption_key(EncryptionKeyId("first"), std::string(32, '\x09'));
  const EncryptionKey second = encryption_key(EncryptionKeyId("second"), std::string(32, '\x0a'));
  database_.change_endpoint(kA, [&](Endpoint& endpoint) {
    endpoint.settings.encryption.enabled = true;
    endpoint.encryption_keys = {first, second};
  });
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  database_.change_endpoint(kA, [&](Endpoint& endpoint) {
    endpoint.encryption_keys = {second, first};
  });
  network_.answer_oldest(answered(400));
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(400));
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::failed) == 1; }));
  EXPECT_THAT(database_.attempts(), SizeIs(2)) << "nothing changed since the second";
}

TEST_F(RotationTest, WithoutARotationTheSameRefusalIsFinal) {
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  network_.answer_oldest(answered(403));
  ASSERT_TRUE(pass_time_until([&] { return database_.count(DeliveryState::failed) == 1; }));
  EXPECT_THAT(database_.attempts(), SizeIs(1));
  EXPECT_EQ(database_.deliveries()[0].reason, FailureReason::rejected);
}

TEST_F(RotationTest, AStopDoesNotWaitForThatCertainty) {
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_waiting(1));
  database_.fail_with([](const std::string& statement) -> std::optional<StorageError> {
    if (statement != "changed_within") return std::nullopt;
    return StorageError(StorageError::Kind::unavailable, "made by the test");
  });
  const std::size_t looks = database_.statements("changed_within");
  clock_.advance(std::chrono::seconds{1});
  ASSERT_TRUE(wait_for([&] { return database_.statements("changed_within") > looks; }));
  network_.answer_oldest(answered(403));
  EXPECT_TRUE(dispatcher_->stop());
  EXPECT_EQ(database_.count(DeliveryState::pending), 1u) << "somebody else tries again";
}

TEST_F(RotationTest, SendsNothingWhileItCannotLearnOfChanges) {
  answer_all_with(200);
  start();
  insert_events(1);
  ASSERT_TRUE(wait_for_state(DeliveryState::delivered, 1));
  database_.fail_with([](const std::string& statement) -> std::optional<StorageError> {
    if (statement != "changed_within") return std::nullopt;
    return StorageError(StorageError::Kind::unavailable, "made by the test");
  });
  const MonotonicTime later = clock_.monotonic_now() + kEndpointsTrusted + Milliseconds{100};
  ASSERT_TRUE(pass_time_until([&] { return clock_.monotonic_now() >= later; }));
  insert_events(1);
  ASSERT_TRUE(wait_for_state(DeliveryState::delivering, 1));
  const std::size_t looks = database_.statements("intake");
  ASSERT_TRUE(wait_for([&] { return database_.statements("intake") > looks + 5; }));
  EXPECT_EQ(network_.started_count(), 1u);
  database_.fail_with(nullptr);
  EXPECT_TRUE(wait_for_state(DeliveryState::delivered, 2));
}

}  // namespace
}  // namespace sealpost
