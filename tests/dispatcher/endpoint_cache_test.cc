#include "dispatcher/endpoint_cache.h"

#include <gmock/gmock.h>

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
  EndpointCache cache_;
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
  EXPECT_FALSE(changed[0]->load->may_send);
}

// What an entry is thought to take must be true enough for the limit to mean something.
TEST_F(EndpointCacheTest, HoldsNoMoreThanItMay) {
  constexpr std::size_t kSmallest = 4096;  // of an entry
  EndpointCache small(100 * kSmallest);
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

TEST_F(EndpointCacheTest, KnowsTheFingerprintsOfTheSigningSecrets) {
  Endpoint endpoint = sample_endpoint("s");
  endpoint.settings.signing_profile = "standard";
  const SecretText first("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const SecretText second("whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  endpoint.secrets = {first, second};
  database_.add_endpoint(endpoint);
  EXPECT_EQ(get("s")->signature_key_ids,
            secret_fingerprint(first) + "," + secret_fingerprint(second));
}

}  // namespace
}  // namespace sealpost
