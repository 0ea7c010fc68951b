#include "storage/rewrapper.h"

#include <set>

#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RewrapperTest : public StorageTest {
 protected:
  static MasterKey old_key() { return {SecretText(std::string(32, 'k')), "0123456789abcdef"}; }
  static MasterKey new_key() { return {SecretText(std::string(32, 'n')), "aaaaaaaaaaaaaaaa"}; }

  EndpointId add_endpoint_with_header() {
    NewEndpoint endpoint{.tenant = "acme", .settings = {}, .secret = SecretText("whsec_canary")};
    endpoint.settings.url = "https://receiver.example/hook";
    endpoint.settings.enabled_events = {"*"};
    endpoint.settings.headers.emplace("X-Api-Key", SecretText("header-canary"));
    return endpoints_.create(endpoint).id;
  }
  std::set<std::string> key_ids() {
    std::set<std::string> ids;
    for (const std::string& id :
         rows("SELECT key_id FROM sealpost.endpoint_secrets UNION ALL "
              "SELECT headers_key_id FROM sealpost.endpoints WHERE headers IS NOT NULL")) {
      ids.insert(id);
    }
    return ids;
  }

  std::shared_ptr<MasterKeys> both_ =
      std::make_shared<MasterKeys>(std::vector<MasterKey>{new_key(), old_key()});
  std::shared_ptr<MasterKeys> new_only_ =
      std::make_shared<MasterKeys>(std::vector<MasterKey>{new_key()});
};

TEST_F(RewrapperTest, EverythingIsReadableUnderTheNewKeyAlone) {
  std::vector<EndpointId> ids;
  for (int i = 0; i < Rewrapper::kBatch + 5; ++i) ids.push_back(add_endpoint_with_header());
  add_endpoint("acme", {"*"});  // without headers
  const RewrapReport report = Rewrapper(options_, both_, random_).run();
  EXPECT_EQ(report.rewrapped, 2 * (Rewrapper::kBatch + 5) + 1);
  EXPECT_THAT(report.unreadable, IsEmpty());
  EXPECT_THAT(key_ids(), ElementsAre(new_key().id));
  PgEndpointStore store(options_, new_only_, random_);
  for (const Endpoint& endpoint : store.load(ids)) {
    ASSERT_THAT(endpoint.secrets, SizeIs(1));
    EXPECT_EQ(endpoint.secrets[0].reveal(), "whsec_canary");
    EXPECT_EQ(endpoint.settings.headers.at("X-Api-Key").reveal(), "header-canary");
    EXPECT_EQ(endpoint.version, 1) << "nothing changed that a dispatcher must see";
  }
}

TEST_F(RewrapperTest, ASecondRunFindsNothingToDo) {
  add_endpoint_with_header();
  EXPECT_EQ(Rewrapper(options_, both_, random_).run().rewrapped, 2);
  EXPECT_EQ(Rewrapper(options_, both_, random_).run().rewrapped, 0);
}

TEST_F(RewrapperTest, WhatItCannotReadIsReportedAndLeftAsItIs) {
  const EndpointId id = add_endpoint_with_header();
  const RewrapReport report = Rewrapper(options_, new_only_, random_).run();
  EXPECT_EQ(report.rewrapped, 0);
  ASSERT_THAT(report.unreadable, SizeIs(2));
  EXPECT_THAT(report.unreadable[1],
              HasSubstr("endpoints.headers of " + id.text() + ", encrypted under " + old_key().id));
  EXPECT_THAT(endpoints_.load(std::span(&id, 1))[0].secrets, SizeIs(1));
}

TEST_F(RewrapperTest, GoesOnWhereItWasInterrupted) {
  for (int i = 0; i < 3; ++i) add_endpoint_with_header();
  // The first key is lost, and found again.
  run("UPDATE sealpost.endpoint_secrets SET key_id = 'ffffffffffffffff' WHERE id = "
      "(SELECT min(id) FROM sealpost.endpoint_secrets)");
  EXPECT_THAT(Rewrapper(options_, both_, random_).run().unreadable, SizeIs(1));
  run("UPDATE sealpost.endpoint_secrets SET key_id = '" + old_key().id +
      "' WHERE key_id = 'ffffffffffffffff'");
  const RewrapReport report = Rewrapper(options_, both_, random_).run();
  EXPECT_EQ(report.rewrapped, 1);
  EXPECT_THAT(key_ids(), ElementsAre(new_key().id));
}

}  // namespace
}  // namespace sealpost
