#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FinishTest : public StorageTest {
 protected:
  FinishTest() : endpoint_(add_endpoint("acme", {"*"})), epoch_(start_dispatcher("one")) {}
  LeasedDelivery leased() {
    insert_event("acme", "a");
    return take_in(epoch_).at(0);
  }
  const EndpointId endpoint_;
  const Epoch epoch_;
};

TEST_F(FinishTest, DeliveredMovesToTheHistory) {
  const LeasedDelivery delivery = leased();
  EXPECT_EQ(finish(delivery, {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(count("sealpost.deliveries"), 0);
  const auto record = history_.delivery(std::nullopt, delivery.id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, DeliveryState::delivered);
  EXPECT_EQ(record->attempts_made, 1);
  EXPECT_EQ(record->last_status_code, 200);
  EXPECT_TRUE(record->finished_at);
}

TEST_F(FinishTest, GivenUpMovesToTheDeadLetters) {
  const LeasedDelivery delivery = leased();
  finish(delivery, {.next = GiveUp{FailureReason::attempts_exhausted}});
  EXPECT_EQ(count("sealpost.deliveries"), 0);
  const auto record = history_.delivery(std::nullopt, delivery.id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, DeliveryState::failed);
  EXPECT_EQ(record->reason, FailureReason::attempts_exhausted);
}

TEST_F(FinishTest, RetryWaitsFromTheEndOfTheAttempt) {
  const LeasedDelivery delivery = leased();
  FinishedAttempt one = attempt(delivery, {.next = RetryAfter{std::chrono::seconds(60)}});
  one.ended_at = now_ - std::chrono::seconds(20);
  store_.finish(std::span(&one, 1), now_);
  // 40 s from when the statement ran, which was before the query below.
  const std::string wait =
      "SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::float8 FROM "
      "sealpost.deliveries";
  EXPECT_LE(std::stod(value(wait)), 40.0);
  EXPECT_GT(std::stod(value(wait)), 10.0);
  EXPECT_EQ(value("SELECT attempts FROM sealpost.deliveries WHERE lease_epoch IS NULL"), "1");
  EXPECT_EQ(value("SELECT seq > 0 AND last_status_code = 503 FROM sealpost.deliveries"), "t");
}

TEST_F(FinishTest, ARetriedDeliveryIsClaimedWithItsAttemptsCounted) {
  const LeasedDelivery delivery = leased();
  finish(delivery, {.next = RetryAfter{Milliseconds(0)}});
  const ClaimRequest request{endpoint_, 10};
  const auto claimed = store_.claim(epoch_, std::span(&request, 1), request.limit);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].id, delivery.id);
  EXPECT_EQ(claimed[0].attempts_made, 1);
  EXPECT_EQ(claimed[0].event->payload, "{}");
}

TEST_F(FinishTest, RecordsEverythingAboutTheAttempt) {
  const LeasedDelivery delivery = leased();
  FinishedAttempt one = attempt(delivery, {.next = Delivered{}});
  one.outcome.phases = {.dns = std::chrono::microseconds(1),
                        .connect = std::chrono::microseconds(2),
                        .tls = std::chrono::microseconds(0),
                        .first_byte = std::chrono::microseconds(4)};
  one.outcome.response_body = std::string("ok\0\xff\\\"{},", 10);
  one.outcome.response_truncated = true;
  one.outcome.remote_address = "203.0.113.7:443";
  one.signature_key_ids = "0011223344556677";
  store_.finish(std::span(&one, 1), now_);

  const auto records = history_.attempts(delivery.id);
  ASSERT_EQ(records.size(), 1u);
  const AttemptRecord& record = records[0];
  EXPECT_EQ(record.generation, 1);
  EXPECT_EQ(record.number, 1);
  EXPECT_EQ(record.started_at, one.started_at) << "to the microsecond";
  EXPECT_EQ(record.outcome.duration, one.outcome.duration);
  EXPECT_EQ(record.outcome.phases.connect.count(), 2);
  EXPECT_EQ(record.outcome.phases.tls.count(), 0);
  EXPECT_EQ(record.outcome.status_code, 200);
  EXPECT_FALSE(record.outcome.error);
  EXPECT_EQ(record.outcome.response_body, one.outcome.response_body);
  EXPECT_TRUE(record.outcome.response_truncated);
  EXPECT_EQ(record.outcome.remote_address, "203.0.113.7:443");
  EXPECT_EQ(record.signature_key_ids, "0011223344556677");
  EXPECT_FALSE(record.orphaned);
}

TEST_F(FinishTest, AllAttemptsOfADeliveryAreFoundInOneView) {
  LeasedDelivery delivery = leased();
  finish(delivery, {.next = RetryAfter{Milliseconds(0)}});
  const ClaimRequest request{endpoint_, 1};
  delivery = store_.claim(epoch_, std::span(&request, 1), request.limit).at(0);
  finish(delivery, {.next = Delivered{}});
  EXPECT_EQ(count("sealpost.other_attempts"), 1) << "the one that delivered is in the history";
  EXPECT_THAT(rows("SELECT number || ' ' || status_code || ' ' || (error IS NULL) || ' ' || "
                   "orphaned FROM sealpost.attempts ORDER BY number"),
              ElementsAre("1 503 true false", "2 200 true false"));
  const auto records = history_.attempts(delivery.id);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].number, 2);
  EXPECT_EQ(records[1].started_at, attempt(delivery, {.next = Delivered{}}).started_at);
}

TEST_F(FinishTest, RecordsWhatTheReceiverSaidWasWrong) {
  std::vector<FinishedAttempt> batch;
  for (int i = 0; i < 4; ++i) {
    batch.push_back(attempt(leased(), {.next = RetryAfter{std::chrono::hours(1)}}));
  }
  // Neither the first nor the last of the statement.
  batch[1].outcome.receiver_error_code = ReceiverErrorCode::webhook_signature_invalid;
  batch[2].outcome.receiver_error_code = ReceiverErrorCode::webhook_decryption_failed;
  EXPECT_EQ(store_.finish(batch, now_).applied, 4);
  for (const FinishedAttempt& one : batch) {
    const auto records = history_.attempts(one.delivery.id);
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].outcome.receiver_error_code, one.outcome.receiver_error_code);
  }
}

TEST_F(FinishTest, AnOrphanedAttemptKeepsWhatTheReceiverSaid) {
  FinishedAttempt one = attempt(leased(), {.next = RetryAfter{std::chrono::hours(1)}});
  one.outcome.receiver_error_code = ReceiverErrorCode::webhook_signature_invalid;
  run("DELETE FROM sealpost.dispatchers");
  EXPECT_EQ(store_.finish(std::span(&one, 1), now_).orphaned.size(), 1u);
  EXPECT_EQ(history_.attempts(one.delivery.id).at(0).outcome.receiver_error_code,
            ReceiverErrorCode::webhook_signature_invalid);
}

TEST_F(FinishTest, TextThatPostgresqlRefusesBlocksNobody) {
  using namespace std::string_literals;
  const LeasedDelivery bad = leased();
  const LeasedDelivery good = leased();
  FinishedAttempt poisonous = attempt(bad, {.next = RetryAfter{std::chrono::hours(1)}});
  poisonous.outcome.status_code.reset();
  poisonous.outcome.error = AttemptError::tls;
  poisonous.outcome.error_detail = "a\0b\xC3 \"quoted\\\" {c},\xF0\x9F\x98\x80"s;
  const std::vector<FinishedAttempt> both = {poisonous, attempt(good, {.next = Delivered{}})};
  EXPECT_EQ(store_.finish(both, now_).applied, 2);
  const auto records = history_.attempts(bad.id);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].outcome.error_detail, "ab\xEF\xBF\xBD \"quoted\\\" {c},\xF0\x9F\x98\x80");
  EXPECT_EQ(records[0].outcome.error, AttemptError::tls);
}

TEST_F(FinishTest, EveryErrorClassAndReasonCanBeStored) {
  for (const AttemptError error :
       {AttemptError::dns, AttemptError::connect, AttemptError::tls, AttemptError::timeout,
        AttemptError::connection_lost, AttemptError::blocked_by_policy, AttemptError::bad_response,
        AttemptError::internal}) {
    FinishedAttempt one = attempt(leased(), {.next = RetryAfter{std::chrono::hours(1)}});
    one.outcome.status_code.reset();
    one.outcome.error = error;
    EXPECT_EQ(store_.finish(std::span(&one, 1), now_).applied, 1) << to_text(error);
  }
  for (const FailureReason reason :
       {FailureReason::attempts_exhausted, FailureReason::rejected, FailureReason::gone,
        FailureReason::blocked_by_policy, FailureReason::payload_refused,
        FailureReason::endpoint_deleted, FailureReason::internal}) {
    EXPECT_EQ(finish(leased(), {.next = GiveUp{reason}}).applied, 1) << to_text(reason);
  }
}

TEST_F(FinishTest, ALostLeaseIsRecordedAndChangesNothing) {
  const LeasedDelivery delivery = leased();
  const Epoch next = start_dispatcher("one");  // restarted: the old epoch has ended
  const FinishResult result = finish(delivery, {.next = Delivered{}});
  EXPECT_EQ(result.applied, 0);
  EXPECT_THAT(result.orphaned, ElementsAre(delivery.id));
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL AND attempts = 0"), 1);
  const auto records = history_.attempts(delivery.id);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].orphaned);

  const ClaimRequest request{endpoint_, 1};
  const auto again = store_.claim(next, std::span(&request, 1), request.limit);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(finish(again[0], {.next = Delivered{}}).applied, 1);
  EXPECT_EQ(history_.attempts(delivery.id).size(), 2u);
}

TEST_F(FinishTest, RecordingTheSameBatchAgainChangesNothing) {
  const std::vector<FinishedAttempt> batch = {
      attempt(leased(), {.next = Delivered{}}),
      attempt(leased(), {.next = RetryAfter{std::chrono::hours(1)}}),
      attempt(leased(), {.next = GiveUp{FailureReason::gone}})};
  EXPECT_EQ(store_.finish(batch, now_).applied, 3);
  const std::string everything =
      "SELECT (SELECT string_agg(d::text, '|') FROM sealpost.deliveries d)"
      " || (SELECT string_agg(d::text, '|') FROM sealpost.dead_letters d)"
      " || (SELECT string_agg(d::text, '|') FROM sealpost.delivery_history d)"
      " || (SELECT string_agg(d::text, '|') FROM sealpost.attempts d)";
  const std::string before = value(everything);
  const FinishResult again = store_.finish(batch, now_);
  EXPECT_THAT(again.orphaned, IsEmpty());
  EXPECT_EQ(value(everything), before);
}

TEST_F(FinishTest, AnotherGenerationOrAttemptNumberIsALostLease) {
  const LeasedDelivery delivery = leased();
  LeasedDelivery wrong = delivery;
  wrong.attempts_made = 1;
  EXPECT_EQ(finish(wrong, {.next = Delivered{}}).orphaned.size(), 1u);
  wrong = delivery;
  wrong.generation = 2;
  EXPECT_EQ(finish(wrong, {.next = Delivered{}}).orphaned.size(), 1u);
  EXPECT_EQ(count("sealpost.deliveries"), 1);
}

TEST_F(FinishTest, ABatchMixesHeldAndLostAttempts) {
  const LeasedDelivery kept = leased();
  LeasedDelivery lost = leased();
  lost.epoch = 12345;
  const LeasedDelivery kept_too = leased();
  const std::vector<FinishedAttempt> batch = {attempt(lost, {.next = Delivered{}}),
                                              attempt(kept, {.next = Delivered{}}),
                                              attempt(kept_too, {.next = Delivered{}})};
  const FinishResult result = store_.finish(batch, now_);
  EXPECT_EQ(result.applied, 2);
  EXPECT_THAT(result.orphaned, ElementsAre(lost.id));
  EXPECT_EQ(count("sealpost.delivery_history"), 2);
}

TEST_F(FinishTest, AnEmptyBatchIsFine) { EXPECT_EQ(store_.finish({}, now_).applied, 0); }

}  // namespace
}  // namespace sealpost
