#include "core/limits.h"
#include "storage/pg_maintenance.h"
#include "storage/rewrapper.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ResponsePayloadsTest : public StorageTest {
 protected:
  ResponsePayloadsTest()
      : endpoint_(add_endpoint("acme", {"*"})), epoch_(start_dispatcher("one")) {}

  FinishedAttempt answered(const std::string& payload, Decision decision = {.next = Delivered{}}) {
    insert_event("acme", "a");
    FinishedAttempt one = attempt(take_in(epoch_).at(0), std::move(decision));
    one.response_payload = std::make_shared<const SecretText>(payload);
    return one;
  }
  FinishResult record(const FinishedAttempt& one) {
    return store_.finish(std::span(&one, 1), now_);
  }

  // "(none)" and "(unreadable)" if it is so.
  std::string stored(HistoryStore& history, const DeliveryId& id,
                     const std::optional<std::string>& tenant = std::nullopt) {
    const auto payload = history.response_payload(tenant, id);
    if (!payload) return "(none)";
    return payload->text ? std::string(payload->text->reveal()) : "(unreadable)";
  }
  std::string stored(const DeliveryId& id) { return stored(history_, id); }

  const EndpointId endpoint_;
  const Epoch epoch_;
};

TEST_F(ResponsePayloadsTest, AreStoredWithTheDelivery) {
  using namespace std::string_literals;
  for (const std::string& payload : {"{\"ok\":true}"s, "\0\xff any bytes"s, ""s}) {
    const FinishedAttempt one = answered(payload);
    EXPECT_EQ(record(one).applied, 1);
    EXPECT_EQ(stored(one.delivery.id), payload);
  }
  insert_event("acme", "a");
  const LeasedDelivery silent = take_in(epoch_).at(0);
  finish(silent, {.next = Delivered{}});
  EXPECT_EQ(stored(silent.id), "(none)");
  EXPECT_EQ(count("sealpost.response_payloads"), 3);
}

TEST_F(ResponsePayloadsTest, AreEncryptedInTheTable) {
  const FinishedAttempt one = answered("response-canary");
  record(one);
  const std::string row =
      value("SELECT encode(ciphertext, 'escape') FROM sealpost.response_payloads");
  EXPECT_THAT(row, Not(HasSubstr("canary")));
  EXPECT_EQ(value("SELECT key_id FROM sealpost.response_payloads"), "0123456789abcdef");
  // Bound to its row.
  const FinishedAttempt other = answered("another");
  record(other);
  run("UPDATE sealpost.response_payloads SET ciphertext = (SELECT ciphertext FROM "
      "sealpost.response_payloads WHERE id = '" +
      one.delivery.id.text() + "')");
  EXPECT_EQ(stored(one.delivery.id), "response-canary");
  EXPECT_EQ(stored(other.delivery.id), "(unreadable)");
}

TEST_F(ResponsePayloadsTest, OfOtherTenantsDoNotExist) {
  const FinishedAttempt one = answered("acme's");
  record(one);
  EXPECT_EQ(stored(history_, one.delivery.id, "acme"), "acme's");
  EXPECT_EQ(stored(history_, one.delivery.id, "globex"), "(none)");
  EXPECT_EQ(stored(DeliveryId("dlv_01KAN8Q4Y0ZV3M7K9T2B5C8DXF")), "(none)");
}

TEST_F(ResponsePayloadsTest, ManyLongOnesInOneBatch) {
  std::vector<FinishedAttempt> batch;
  for (int i = 0; i < 100; ++i) {
    batch.push_back(
        answered(std::string(kMaxSealedResponse * 3 / 4, static_cast<char>('0' + i % 10))));
  }
  EXPECT_EQ(store_.finish(batch, now_).applied, 100);
  for (const FinishedAttempt& one : batch) {
    EXPECT_EQ(stored(one.delivery.id), one.response_payload->reveal());
  }
}

TEST_F(ResponsePayloadsTest, OfALostLeaseAreNotStored) {
  FinishedAttempt late = answered("late");
  const Epoch next = start_dispatcher("one");
  EXPECT_THAT(record(late).orphaned, ElementsAre(late.delivery.id));
  EXPECT_EQ(stored(late.delivery.id), "(none)");
  // And do not take the place of the one that counts.
  const ClaimRequest request{endpoint_, 1};
  FinishedAttempt right = attempt(store_.claim(next, std::span(&request, 1), request.limit).at(0),
                                  {.next = Delivered{}});
  right.response_payload = std::make_shared<const SecretText>("right");
  record(right);
  record(late);
  EXPECT_EQ(stored(late.delivery.id), "right");
}

TEST_F(ResponsePayloadsTest, RecordingTheSameBatchAgainChangesNothing) {
  const FinishedAttempt one = answered("once");
  record(one);
  const std::string before = value("SELECT r::text FROM sealpost.response_payloads r");
  record(one);
  EXPECT_EQ(value("SELECT r::text FROM sealpost.response_payloads r"), before);
}

TEST_F(ResponsePayloadsTest, WhatDidNotOpenIsRecordedOnTheAttempt) {
  insert_event("acme", "a");
  FinishedAttempt good = attempt(take_in(epoch_).at(0), {.next = Delivered{}});
  good.outcome.response_decrypt_failed = ResponseProblem::wrong_nonce;
  record(good);
  EXPECT_EQ(history_.attempts(good.delivery.id).at(0).outcome.response_decrypt_failed,
            ResponseProblem::wrong_nonce);
  insert_event("acme", "a");
  FinishedAttempt bad = attempt(take_in(epoch_).at(0), {.next = RetryAfter{std::chrono::hours(1)}});
  bad.outcome.status_code = 200;
  bad.outcome.response_decrypt_failed = ResponseProblem::missing;
  record(bad);
  const auto attempts = history_.attempts(bad.delivery.id);
  EXPECT_EQ(attempts.at(0).outcome.response_decrypt_failed, ResponseProblem::missing);
  EXPECT_EQ(attempts.at(0).outcome.status_code, 200);
}

TEST_F(ResponsePayloadsTest, AreReadUnderTheNewMasterKeyAfterARewrap) {
  const FinishedAttempt one = answered("kept");
  record(one);
  const MasterKey old_key{SecretText(std::string(32, 'k')), "0123456789abcdef"};
  const MasterKey new_key{SecretText(std::string(32, 'n')), "aaaaaaaaaaaaaaaa"};
  const auto both = std::make_shared<MasterKeys>(std::vector<MasterKey>{new_key, old_key});
  const auto new_only = std::make_shared<MasterKeys>(std::vector<MasterKey>{new_key});
  PgHistoryStore with_both(options_, both, random_), with_new(options_, new_only, random_);
  EXPECT_EQ(stored(with_both, one.delivery.id), "kept") << "while the file has both";
  EXPECT_EQ(stored(with_new, one.delivery.id), "(unreadable)");
  EXPECT_EQ(Rewrapper(options_, both, random_).run().rewrapped, 2)
      << "it and the endpoint's secret";
  EXPECT_EQ(stored(with_new, one.delivery.id), "kept");
}

TEST_F(ResponsePayloadsTest, GoWithTheHistory) {
  const FinishedAttempt one = answered("old");
  record(one);
  // A delivery of a day whose partitions were dropped long ago.
  for (const char* table : {"delivery_history", "response_payloads"}) {
    run(std::string("UPDATE sealpost.") + table +
        " SET id = sealpost.first_id('dlv_', "
        "(now() AT TIME ZONE 'UTC')::date - 100) || '0000000000000001'");
  }
  PgMaintenance maintenance(options_);
  maintenance.run({.retention = std::chrono::days(20)});
  EXPECT_EQ(count("sealpost.response_payloads_default"), 1) << "it ended lately";
  run("UPDATE sealpost.delivery_history SET finished_at = now() - interval '21 days'");
  maintenance.run({.retention = std::chrono::days(20)});
  EXPECT_EQ(count("sealpost.delivery_history"), 0);
  EXPECT_EQ(count("sealpost.response_payloads"), 0);
}

}  // namespace
}  // namespace sealpost
