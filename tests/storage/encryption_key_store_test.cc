#include "base/box.h"
#include "core/limits.h"
#include "storage/pg_encryption_key_store.h"
#include "tests/storage/storage_fixture.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Refusal = EncryptionKeyStore::Refusal;
using RemoveResult = EncryptionKeyStore::RemoveResult;

std::string public_key(int n) { return box_public_key(SecretText(byte_range(n, n + 31))); }

class EncryptionKeyStoreTest : public StorageTest {
 protected:
  StoredEncryptionKey add(int n, const std::optional<EndpointId>& endpoint_id = std::nullopt,
                          const std::string& tenant = "acme") {
    return std::get<StoredEncryptionKey>(keys_.add(
        {.tenant = tenant, .endpoint_id = endpoint_id, .public_key = public_key(n), .label = ""}));
  }
  Refusal refusal(const NewEncryptionKey& key) { return std::get<Refusal>(keys_.add(key)); }

  Endpoint make_endpoint(bool encrypted, const std::optional<std::string>& own_key = std::nullopt,
                         const std::string& tenant = "acme") {
    NewEndpoint endpoint{.tenant = tenant, .settings = {}, .secret = SecretText("whsec_canary")};
    endpoint.settings.url = "https://receiver.example/hook";
    endpoint.settings.enabled_events = {"*"};
    endpoint.settings.encryption.enabled = encrypted;
    endpoint.settings.encryption.new_public_key = own_key;
    return endpoints_.create(endpoint);
  }
  Endpoint loaded(const EndpointId& id) { return endpoints_.load(std::span(&id, 1)).at(0); }
  // The public keys that a dispatcher encrypts to, the primary first.
  std::vector<std::string> recipients(const EndpointId& id) {
    std::vector<std::string> found;
    for (const EncryptionKey& key : loaded(id).encryption_keys) found.push_back(key.public_key);
    return found;
  }
  int version(const EndpointId& id) { return loaded(id).version; }

  PgEncryptionKeyStore keys_{options_};
};

TEST_F(EncryptionKeyStoreTest, GivesBackWhatWasStored) {
  const auto stored = std::get<StoredEncryptionKey>(keys_.add({.tenant = "acme",
                                                               .endpoint_id = {},
                                                               .public_key = public_key(1),
                                                               .label = "2026 k\xC3\xBC"}));
  EXPECT_EQ(stored.key.id.text().substr(0, 4), "whk_");
  EXPECT_EQ(stored.key.public_key, public_key(1));
  EXPECT_EQ(stored.key.fingerprint, key_fingerprint(public_key(1)));
  EXPECT_EQ(stored.tenant, "acme");
  EXPECT_EQ(stored.endpoint_id, std::nullopt);
  EXPECT_EQ(stored.label, "2026 k\xC3\xBC");
  EXPECT_TRUE(stored.primary);
  EXPECT_TRUE(keys_.get("acme", stored.key.id).has_value());
  EXPECT_FALSE(keys_.get("globex", stored.key.id).has_value());
}

TEST_F(EncryptionKeyStoreTest, ListsTheNewestFirstAndOnlyOnesOwn) {
  const auto first = add(1);
  run("SELECT pg_sleep(0.002)");  // ids of one millisecond are in no order
  const auto second = add(2);
  add(1, std::nullopt, "globex");
  const auto page = keys_.list("acme", {.limit = 1, .cursor = {}});
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].key.id, second.key.id);
  const auto rest = keys_.list("acme", {.limit = 5, .cursor = page.next_cursor});
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].key.id, first.key.id);
  EXPECT_EQ(rest.next_cursor, "");
  EXPECT_EQ(keys_.list(std::nullopt, {.limit = 5, .cursor = {}}).items.size(), 3U);
}

TEST_F(EncryptionKeyStoreTest, AnEndpointsOwnKeysGoBeforeTheTenants) {
  add(1);
  const Endpoint own = make_endpoint(true, public_key(2)), shared = make_endpoint(true);
  const Endpoint plain = make_endpoint(false);
  add(3, std::nullopt, "globex");
  EXPECT_THAT(recipients(own.id), ElementsAre(public_key(2)));
  EXPECT_THAT(recipients(shared.id), ElementsAre(public_key(1)));
  EXPECT_THAT(recipients(plain.id), IsEmpty());
  EXPECT_EQ(endpoints_.get("acme", own.id)->encryption_keys.at(0).fingerprint,
            key_fingerprint(public_key(2)));
}

TEST_F(EncryptionKeyStoreTest, TheOldestIsPrimaryUntilAnotherIsMadeSo) {
  const auto first = add(1), second = add(2), third = add(3);
  const EndpointId id = make_endpoint(true).id;
  EXPECT_THAT(recipients(id), ElementsAre(public_key(1), public_key(2), public_key(3)));
  EXPECT_TRUE(keys_.make_primary("acme", third.key.id));
  EXPECT_THAT(recipients(id), ElementsAre(public_key(3), public_key(1), public_key(2)));
  EXPECT_TRUE(keys_.get("acme", third.key.id)->primary);
  EXPECT_FALSE(keys_.get("acme", first.key.id)->primary);
  EXPECT_TRUE(keys_.make_primary("acme", second.key.id));
  EXPECT_EQ(recipients(id).at(0), public_key(2));
  EXPECT_FALSE(keys_.make_primary("globex", second.key.id));
  EXPECT_EQ(keys_.remove("acme", second.key.id), RemoveResult::removed);
  EXPECT_EQ(recipients(id).at(0), public_key(3));
}

TEST_F(EncryptionKeyStoreTest, DispatchersSeeEveryChange) {
  const auto first = add(1);
  const EndpointId shared = make_endpoint(true).id, own = make_endpoint(true, public_key(9)).id;
  const EndpointId plain = make_endpoint(false).id;
  const auto second = add(2);
  EXPECT_EQ(version(shared), 2);
  keys_.make_primary("acme", second.key.id);
  EXPECT_EQ(version(shared), 3);
  keys_.remove("acme", first.key.id);
  EXPECT_EQ(version(shared), 4);
  add(3, own);
  EXPECT_EQ(version(shared), 4);
  EXPECT_EQ(version(plain), 1);
  const int before = version(own);
  keys_.remove_old("acme", own);
  EXPECT_EQ(version(own), before + 1);
  add(1, std::nullopt, "globex");
  EXPECT_EQ(version(shared), 4);
}

TEST_F(EncryptionKeyStoreTest, TheLastKeyOfAnEncryptedEndpointStays) {
  const auto only = add(1);
  const Endpoint endpoint = make_endpoint(true);
  EXPECT_EQ(keys_.remove("acme", only.key.id), RemoveResult::last_key);
  EXPECT_THAT(recipients(endpoint.id), ElementsAre(public_key(1)));
  EXPECT_EQ(version(endpoint.id), 1) << "nothing changed";
  endpoints_.set_status("acme", endpoint.id, EndpointStatus::deleted, "", std::nullopt);
  EXPECT_EQ(keys_.remove("acme", only.key.id), RemoveResult::removed);
  EXPECT_EQ(keys_.remove("acme", only.key.id), RemoveResult::not_found);
}

TEST_F(EncryptionKeyStoreTest, AnOwnKeyMayGoIfTheTenantHasOne) {
  const EndpointId id = make_endpoint(true, public_key(2)).id;
  const auto own = keys_.list("acme", {.limit = 5, .cursor = {}}).items.at(0);
  EXPECT_EQ(keys_.remove("acme", own.key.id), RemoveResult::last_key);
  add(1);
  EXPECT_EQ(keys_.remove("globex", own.key.id), RemoveResult::not_found);
  EXPECT_EQ(keys_.remove("acme", own.key.id), RemoveResult::removed);
  EXPECT_THAT(recipients(id), ElementsAre(public_key(1)));
}

TEST_F(EncryptionKeyStoreTest, RemovesAllOfAScopeButTheNewest) {
  const EndpointId id = make_endpoint(true, public_key(7)).id;
  const auto first = add(1), second = add(2);
  add(3);
  add(4, std::nullopt, "globex");
  EXPECT_THAT(keys_.remove_old("acme", std::nullopt),
              testing::UnorderedElementsAre(first.key.id, second.key.id));
  EXPECT_THAT(keys_.remove_old("acme", std::nullopt), IsEmpty());
  EXPECT_THAT(keys_.remove_old("initech", std::nullopt), IsEmpty());
  EXPECT_EQ(count("sealpost.encryption_keys"), 3);
  EXPECT_THAT(recipients(id), ElementsAre(public_key(7)));
}

TEST_F(EncryptionKeyStoreTest, RefusesWhatCannotBe) {
  const Endpoint endpoint = make_endpoint(false);
  for (int n = 1; n <= static_cast<int>(kMaxEncryptionKeys); ++n) add(n);
  const auto key = [](int n, std::optional<EndpointId> id = {}) {
    return NewEncryptionKey{
        .tenant = "acme", .endpoint_id = id, .public_key = public_key(n), .label = ""};
  };
  EXPECT_EQ(refusal(key(1)), Refusal::exists);
  EXPECT_EQ(refusal(key(99)), Refusal::too_many);
  EXPECT_EQ(refusal(key(1, EndpointId("we_00000000000000000000000000"))),
            Refusal::endpoint_not_found);
  NewEncryptionKey of_another = key(1, endpoint.id);
  of_another.tenant = "globex";
  EXPECT_EQ(refusal(of_another), Refusal::endpoint_not_found);
  of_another.tenant.reset();
  EXPECT_EQ(std::get<StoredEncryptionKey>(keys_.add(of_another)).tenant, "acme");
}

TEST_F(EncryptionKeyStoreTest, EncryptionCannotBeEnabledWithoutAKey) {
  EXPECT_THROW(make_endpoint(true), EncryptionKeyMissing);
  EXPECT_EQ(count("sealpost.endpoints"), 0);
  const Endpoint endpoint = make_endpoint(false);
  EndpointSettings settings = endpoint.settings;
  settings.encryption.enabled = true;
  EXPECT_THROW(endpoints_.update("acme", endpoint.id, settings, 1), EncryptionKeyMissing);
  EXPECT_EQ(version(endpoint.id), 1);
  settings.encryption.new_public_key = public_key(1);
  settings.encryption.enc_header = EncHeader::full;
  settings.encryption.reuse_ephemeral_keys = true;
  EXPECT_EQ(endpoints_.update("acme", endpoint.id, settings, 1),
            EndpointStore::ChangeResult::changed);
  const EncryptionSettings stored = loaded(endpoint.id).settings.encryption;
  EXPECT_TRUE(stored.enabled && stored.reuse_ephemeral_keys);
  EXPECT_EQ(stored.enc_header, EncHeader::full);
  EXPECT_THAT(recipients(endpoint.id), ElementsAre(public_key(1)));
}

TEST_F(EncryptionKeyStoreTest, ANewOwnKeyReplacesTheOnesBefore) {
  const Endpoint endpoint = make_endpoint(true, public_key(1));
  add(2, endpoint.id);
  EndpointSettings settings = endpoints_.get("acme", endpoint.id)->settings;
  EXPECT_EQ(settings.encryption.new_public_key, std::nullopt);
  settings.encryption.new_public_key = public_key(3);
  endpoints_.update("acme", endpoint.id, settings, std::nullopt);
  EXPECT_THAT(recipients(endpoint.id), ElementsAre(public_key(3)));
}

}  // namespace
}  // namespace sealpost
