#include "dispatcher/endpoint_cache.h"

#include <gmock/gmock.h>

#include "base/bytes.h"
#include "core/limits.h"
#include "core/signing_secret.h"
#include "tests/dispatcher/sample_endpoints.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_delivery_store.h"

namespace sealpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class EndpointCacheTest : public testing::Test {
 protected:
  EndpointCacheTest() { database_.add_endpoint(sample_endpoint("a")); }

  ReadyEndpointPtr get(const std::string& id, int version = 1) {
    LeasedDelivery delivery = leased_delivery("dlv_1", id);
    delivery.endpoint_version = version;
    const auto endpoints = cache_.endpoints_of({&delivery, 1}, *source_);
    EXPECT_THAT(endpoints, SizeIs(1));
    return endpoints.at(0);
  }

  FakeClock clock_;
  MemoryDatabase database_{clock_};
  std::unique_ptr<EndpointSource> source_ = database_.endpoint_source();
  EndpointCache cache_{clock_};
};

TEST_F(EndpointCacheTest, LoadsAnEndpointOnce) {
  EXPECT_TRUE(get("a")->may_send());
  EXPECT_EQ(get("a"), get("a"));
  EXPECT_EQ(database_.statements("load"), 1u);
}

TEST_F(EndpointCacheTest, LoadsAgainWhenADeliveryKnowsANewerVersion) {
  const ReadyEndpointPtr old = get("a");
  database_.change_endpoint(EndpointId("a"), [](Endpoint& e) { e.settings.max_in_flight = 7; });
  EXPECT_EQ(get("a", 1), old);
  const ReadyEndpointPtr fresh = get("a", 2);
  EXPECT_EQ(fresh->endpoint().settings.max_in_flight, 7);
  EXPECT_EQ(fresh->load, old->load) << "what is queued stays counted";
}

TEST_F(EndpointCacheTest, RefreshesOnlyWhatItHasAndWhatChanged) {
  get("a");
  database_.add_endpoint(sample_endpoint("b"));
  EXPECT_THAT(cache_.refresh(source_->changed_within(std::chrono::seconds(10)), *source_),
              IsEmpty());
  database_.change_endpoint(EndpointId("a"),
                            [](Endpoint& e) { e.status = EndpointStatus::paused; });
  const auto changed = cache_.refresh(source_->changed_within(std::chrono::seconds(10)), *source_);
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_FALSE(changed[0]->may_send());
  EXPECT_FALSE(changed[0]->load->takes_more);
}

// What an entry is thought to take must be true enough for the limit to mean something.
TEST_F(EndpointCacheTest, HoldsNoMoreThanItMay) {
  constexpr std::size_t kSmallest = 4096;  // of an entry
  EndpointCache small(clock_, 100 * kSmallest);
  const auto ask = [&](const std::string& id) {
    const LeasedDelivery delivery = leased_delivery("dlv_1", id);
    return small.endpoints_of({&delivery, 1}, *source_).at(0);
  };
  const ReadyEndpointPtr in_use = ask("a");
  const std::shared_ptr<EndpointLoad> queued_for = ask("queued-for")->load;
  for (int i = 0; i < 1000; ++i) {
    ask("e" + std::to_string(i));
    ask("again-and-again");
    EXPECT_LE(small.size(), 101u);
  }
  EXPECT_GE(small.size(), 25u);
  EXPECT_EQ(small.find(EndpointId("a")), in_use);
  ASSERT_NE(small.find(EndpointId("queued-for")), nullptr);
  EXPECT_EQ(small.find(EndpointId("queued-for"))->load, queued_for);
}

TEST_F(EndpointCacheTest, AnUnknownEndpointIsDeleted) {
  EXPECT_EQ(get("never-seen")->endpoint().status, EndpointStatus::deleted);
}

TEST_F(EndpointCacheTest, AnEndpointWithoutUsableSecretsMaySendNothing) {
  Endpoint broken = sample_endpoint("broken");
  broken.settings.signing_profile = "standard";
  database_.add_endpoint(broken);
  EXPECT_FALSE(get("broken")->may_send());
  EXPECT_EQ(cache_.unusable(), 1u);
}

// Two secrets, the old one for ten more seconds.
Endpoint in_grace(const std::string& profile = "standard") {
  Endpoint endpoint = sample_endpoint("s");
  endpoint.settings.signing_profile = profile;
  endpoint.secrets = {SecretText("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                      SecretText("whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
  endpoint.secret_key_ids = {"new", "old"};
  endpoint.grace = SecretGrace{.left = std::chrono::seconds{10}};
  return endpoint;
}

TEST_F(EndpointCacheTest, DuringAGraceBothSecretsSignInTheOrderThatWasLearnt) {
  database_.add_endpoint(in_grace());
  const ReadyEndpointPtr ready = get("s");
  EXPECT_EQ(*ready->signing(clock_.monotonic_now()).key_ids, "new,old");
  EXPECT_TRUE(ready->signing(clock_.monotonic_now()).in_grace);
  ready->order->next = SecretOrder::new_last;
  EXPECT_EQ(*ready->signing(clock_.monotonic_now()).key_ids, "old,new");
}

TEST_F(EndpointCacheTest, WhereOneSignatureFitsTheOldSecretSignsUntilARefusalOrTheEnd) {
  database_.add_endpoint(in_grace("pandora"));
  const ReadyEndpointPtr ready = get("s");
  EXPECT_EQ(*ready->signing(clock_.monotonic_now()).key_ids, "old");
  ready->order->next = SecretOrder::new_last;
  EXPECT_EQ(*ready->signing(clock_.monotonic_now()).key_ids, "new");
}

// Two key pairs, the new one made so long ago; the old one is good for an hour.
Endpoint in_key_grace(Milliseconds new_for) {
  Endpoint endpoint = in_grace("standard-asymmetric");
  endpoint.secrets = {SecretText("whsk_" + base64_encode(std::string(32, 'n'))),
                      SecretText("whsk_" + base64_encode(std::string(32, 'o')))};
  endpoint.grace = SecretGrace{.left = std::chrono::hours{1}, .new_for = new_for};
  return endpoint;
}

// Verifiers may keep the published set for as long as that.
TEST_F(EndpointCacheTest, ANewKeyPairSignsOnceItWasPublishedForTheLifetimeOfAKeySet) {
  database_.add_endpoint(in_key_grace(std::chrono::seconds{100}));
  const ReadyEndpointPtr ready = get("s");
  const MonotonicTime now = clock_.monotonic_now();
  const MonotonicTime first_use = now + kKeyPublishedBeforeUse - std::chrono::seconds{100};
  EXPECT_GE(kKeyPublishedBeforeUse, kKeySetLifetime + kMaxKeySetAge);
  EXPECT_EQ(*ready->signing(now).key_ids, "old");
  EXPECT_TRUE(ready->signing(now).in_grace);
  EXPECT_EQ(*ready->signing(first_use - Milliseconds{1}).key_ids, "old");
  EXPECT_EQ(*ready->signing(first_use).key_ids, "new,old");
}

TEST_F(EndpointCacheTest, ARefusalAnActivationOrTheEndOfTheGraceUsesANewKeyPairAtOnce) {
  database_.add_endpoint(in_key_grace(Milliseconds{0}));
  const ReadyEndpointPtr ready = get("s");
  const MonotonicTime now = clock_.monotonic_now();
  AttemptOutcome refusal;
  refusal.status_code = 401;
  *ready->order = learn(*ready->order, ready->signing(now).order, now, refusal);
  EXPECT_EQ(*ready->signing(now).key_ids, "old,new");

  database_.change_endpoint(EndpointId("s"), [](Endpoint& e) { e.grace->activated = true; });
  EXPECT_EQ(*get("s", 2)->signing(now).key_ids, "old,new");

  database_.change_endpoint(EndpointId("s"),
                            [](Endpoint& e) { e.grace = SecretGrace{.left = Milliseconds{10}}; });
  EXPECT_EQ(*get("s", 3)->signing(now + Milliseconds{10}).key_ids, "new");
}

TEST_F(EndpointCacheTest, AfterTheGraceOnlyTheNewSecretSigns) {
  int version = 0;
  for (const char* profile : {"standard", "pandora"}) {
    Endpoint endpoint = in_grace(profile);
    endpoint.version = ++version;
    database_.add_endpoint(endpoint);
    const ReadyEndpointPtr ready = get("s", version);
    const MonotonicTime end = clock_.monotonic_now() + std::chrono::seconds{10};
    EXPECT_TRUE(ready->signing(end - Milliseconds{1}).in_grace);
    EXPECT_EQ(*ready->signing(end).key_ids, "new");
    EXPECT_FALSE(ready->signing(end).in_grace);
  }
}

TEST_F(EndpointCacheTest, WhatWasLearntHoldsForTheseTwoSecretsOnly) {
  database_.add_endpoint(in_grace());
  get("s")->order->next = SecretOrder::new_last;
  const EndpointId id("s");
  database_.change_endpoint(id, [](Endpoint& e) { e.settings.max_in_flight = 7; });
  EXPECT_EQ(get("s", 2)->order->next, SecretOrder::new_last);
  database_.change_endpoint(id, [](Endpoint& e) { e.secret_key_ids = {"newer", "new"}; });
  EXPECT_EQ(get("s", 3)->order->next, SecretOrder::old_last);
}

TEST_F(EndpointCacheTest, AnActivatedSecretStandsLastAtOnce) {
  Endpoint endpoint = in_grace("pandora");
  database_.add_endpoint(endpoint);
  get("s");
  database_.change_endpoint(EndpointId("s"), [](Endpoint& e) { e.grace->activated = true; });
  EXPECT_EQ(*get("s", 2)->signing(clock_.monotonic_now()).key_ids, "new");
}

}  // namespace
}  // namespace sealpost
