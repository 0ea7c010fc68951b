#include "base/bytes.h"
#include "base/hash.h"
#include "core/signing_profile_json.h"
#include "storage/endpoint_codec.h"
#include "storage/pg_token_store.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class EndpointStoreTest : public StorageTest {
 protected:
  static NewEndpoint complete() {
    NewEndpoint endpoint{.tenant = "acme", .settings = {}, .secret = SecretText("whsec_canary")};
    EndpointSettings& settings = endpoint.settings;
    settings.url = "https://receiver.example/hook?a=b";
    settings.description = "payments \"main\"";
    settings.enabled_events = {"invoice.*", "customer.created"};
    settings.signing_profile = "standard";
    settings.envelope = Envelope::itpay;
    settings.retry.delays = {Milliseconds(1000), Milliseconds(30500)};
    settings.retry.jitter = 0.2;
    settings.retry.end_on = {410};
    settings.timeout = Milliseconds(9000);
    settings.max_in_flight = 7;
    settings.rate_limit_per_second = 0.1;
    settings.ordering = Ordering::fifo;
    settings.on_dead_letter = OnDeadLetter::go_on;
    settings.require_encrypted_response = true;
    settings.headers.emplace("X-Api-Key", SecretText("header-canary"));
    settings.metadata = {{"team", "b\xC3\xBCro"}};
    return endpoint;
  }
  Endpoint loaded(PgEndpointStore& store, const EndpointId& id) {
    return store.load(std::span(&id, 1)).at(0);
  }
  std::vector<std::string> patterns() {
    return rows("SELECT pattern FROM sealpost.endpoint_event_patterns ORDER BY 1");
  }
};

TEST_F(EndpointStoreTest, GivesBackWhatWasStored) {
  const NewEndpoint stored = complete();
  const Endpoint endpoint = endpoints_.create(stored);
  EXPECT_EQ(endpoint.tenant, "acme");
  EXPECT_EQ(endpoint.status, EndpointStatus::enabled);
  EXPECT_EQ(endpoint.version, 1);
  EXPECT_THAT(endpoint.secrets, IsEmpty()) << "for dispatchers only";
  const EndpointSettings& settings = endpoint.settings;
  EXPECT_EQ(settings.url, stored.settings.url);
  EXPECT_EQ(settings.description, stored.settings.description);
  EXPECT_EQ(settings.enabled_events, stored.settings.enabled_events);
  EXPECT_EQ(settings.envelope, Envelope::itpay);
  EXPECT_EQ(settings.retry.delays, stored.settings.retry.delays);
  EXPECT_EQ(settings.retry.jitter, 0.2);
  EXPECT_EQ(settings.retry.end_on, stored.settings.retry.end_on);
  EXPECT_EQ(settings.timeout, Milliseconds(9000));
  EXPECT_EQ(settings.max_in_flight, 7);
  EXPECT_EQ(settings.rate_limit_per_second, 0.1);
  EXPECT_EQ(settings.ordering, Ordering::fifo);
  EXPECT_EQ(settings.on_dead_letter, OnDeadLetter::go_on);
  EXPECT_TRUE(settings.require_encrypted_response);
  EXPECT_EQ(settings.headers.at("X-Api-Key").reveal(), "header-canary");
  EXPECT_EQ(settings.metadata, stored.settings.metadata);
  const Endpoint for_sending = loaded(endpoints_, endpoint.id);
  ASSERT_THAT(for_sending.secrets, SizeIs(1));
  EXPECT_EQ(for_sending.secrets[0].reveal(), "whsec_canary");
}

TEST_F(EndpointStoreTest, ACustomSigningProfileIsKept) {
  NewEndpoint endpoint = complete();
  endpoint.settings.signing_profile = kCustomProfile;
  endpoint.settings.custom_signing = SigningProfile{.name = kCustomProfile,
                                                    .algorithm = SignatureAlgorithm::hmac_sha512,
                                                    .content = "{ts}.{body}",
                                                    .signature_header = "X-Acme",
                                                    .prefix = "t={ts},",
                                                    .item = "v1={sig}"};
  const EndpointId id = endpoints_.create(endpoint).id;
  const EndpointSettings settings = loaded(endpoints_, id).settings;
  EXPECT_EQ(settings.signing_profile, kCustomProfile);
  ASSERT_TRUE(settings.custom_signing);
  EXPECT_EQ(signing_profile_json(*settings.custom_signing),
            signing_profile_json(*endpoint.settings.custom_signing));
  EXPECT_FALSE(settings.next_header);
  endpoint.settings.next_header = true;
  endpoints_.update("acme", id, endpoint.settings, std::nullopt);
  EXPECT_TRUE(loaded(endpoints_, id).settings.next_header);
  EXPECT_TRUE(loaded(endpoints_, id).settings.custom_signing);
  endpoint.settings.signing_profile = "github";
  endpoint.settings.custom_signing.reset();
  endpoints_.update("acme", id, endpoint.settings, std::nullopt);
  EXPECT_EQ(loaded(endpoints_, id).settings.signing_profile, "github");
  EXPECT_TRUE(loaded(endpoints_, id).settings.next_header);
  EXPECT_FALSE(loaded(endpoints_, id).settings.custom_signing);
}

TEST_F(EndpointStoreTest, PublicKeysArePublishedForAWhileLongerThanTheySign) {
  NewEndpoint endpoint = complete();
  EXPECT_THAT(endpoints_.create(endpoint).public_keys, IsEmpty());
  endpoint.settings.signing_profile = "standard-asymmetric";
  // RFC 8037, appendix A.
  endpoint.secret = SecretText("whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
  const std::string key = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  const Endpoint created = endpoints_.create(endpoint);
  EXPECT_THAT(created.public_keys, ElementsAre(key));
  EXPECT_THAT(endpoints_.public_keys(), ElementsAre(key));

  const auto expire = [this](const std::string& ago) {
    run("UPDATE sealpost.endpoint_secrets SET expires_at = now() - interval '" + ago + "'");
  };
  expire("1 second");
  EXPECT_THAT(endpoints_.get("acme", created.id)->public_keys, IsEmpty());
  EXPECT_THAT(endpoints_.public_keys(), ElementsAre(key));
  expire("11 minutes");
  EXPECT_THAT(endpoints_.public_keys(), IsEmpty());

  run("UPDATE sealpost.endpoint_secrets SET expires_at = NULL");
  endpoints_.set_status("acme", created.id, EndpointStatus::deleted, "", std::nullopt);
  EXPECT_THAT(endpoints_.public_keys(), ElementsAre(key));
  run("UPDATE sealpost.endpoints SET updated_at = now() - interval '11 minutes'");
  EXPECT_THAT(endpoints_.public_keys(), IsEmpty());
}

TEST_F(EndpointStoreTest, SecretsAreEncryptedAtRest) {
  endpoints_.create(complete());
  for (const std::string table : {"endpoints", "endpoint_secrets", "endpoint_event_patterns"}) {
    for (const std::string& row : rows("SELECT t::text FROM sealpost." + table + " t")) {
      for (const std::string canary : {"whsec_canary", "header-canary"}) {
        EXPECT_THAT(row, Not(HasSubstr(canary)));
        EXPECT_THAT(row, Not(HasSubstr(hex_encode(canary))));
      }
    }
  }
}

TEST_F(EndpointStoreTest, AWrongMasterKeyOpensNothing) {
  const Endpoint endpoint = endpoints_.create(complete());
  PgEndpointStore other(options_,
                        std::make_shared<MasterKeys>(std::vector<MasterKey>{
                            {SecretText(std::string(32, 'x')), "fedcba9876543210"}}),
                        random_);
  EXPECT_THAT(loaded(other, endpoint.id).secrets, IsEmpty());
  EXPECT_THAT(loaded(other, endpoint.id).settings.headers, IsEmpty());
  try {
    other.get(std::nullopt, endpoint.id);
    FAIL() << "an endpoint without its headers could be written back";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("master key"));
  }
}

TEST_F(EndpointStoreTest, ACiphertextOfAnotherRowDoesNotOpen) {
  const Endpoint first = endpoints_.create(complete());
  const Endpoint second = endpoints_.create(complete());
  run("UPDATE sealpost.endpoint_secrets SET ciphertext = (SELECT ciphertext FROM "
      "sealpost.endpoint_secrets "
      "WHERE endpoint_id = '" +
      first.id.text() + "') WHERE endpoint_id = '" + second.id.text() + "'");
  EXPECT_THAT(loaded(endpoints_, first.id).secrets, SizeIs(1));
  EXPECT_THAT(loaded(endpoints_, second.id).secrets, IsEmpty());
}

TEST_F(EndpointStoreTest, UpdateRaisesTheVersionAndReplacesPatterns) {
  const Endpoint endpoint = endpoints_.create(complete());
  EXPECT_THAT(patterns(), ElementsAre("customer.created", "invoice.*"));
  EndpointSettings changed = endpoint.settings;
  changed.enabled_events = {"*", "*"};
  using Result = EndpointStore::ChangeResult;
  EXPECT_EQ(endpoints_.update("acme", endpoint.id, changed, 2), Result::version_differs);
  EXPECT_EQ(endpoints_.update("other", endpoint.id, changed, 1), Result::not_found);
  EXPECT_EQ(endpoints_.update("acme", endpoint.id, changed, 1), Result::changed);
  EXPECT_EQ(endpoints_.get("acme", endpoint.id)->version, 2);
  EXPECT_THAT(patterns(), ElementsAre("*"));
  const auto recent = endpoints_.changed_within(std::chrono::seconds(60));
  EXPECT_THAT(recent, ElementsAre(std::pair(endpoint.id, 2)));
}

TEST_F(EndpointStoreTest, ADeletedEndpointIsGoneForOperatorsAndKnownToDispatchers) {
  const Endpoint endpoint = endpoints_.create(complete());
  endpoints_.set_status("acme", endpoint.id, EndpointStatus::deleted, "", std::nullopt);
  EXPECT_FALSE(endpoints_.get("acme", endpoint.id));
  EXPECT_THAT(endpoints_.list(std::nullopt, {}).items, IsEmpty());
  EXPECT_EQ(endpoints_.update("acme", endpoint.id, endpoint.settings, std::nullopt),
            EndpointStore::ChangeResult::not_found);
  EXPECT_THAT(patterns(), IsEmpty());
  EXPECT_EQ(loaded(endpoints_, endpoint.id).status, EndpointStatus::deleted);
}

TEST_F(EndpointStoreTest, DisableTouchesEnabledEndpointsOnly) {
  const EndpointId id = endpoints_.create(complete()).id;
  endpoints_.set_status(std::nullopt, id, EndpointStatus::paused, "by hand", std::nullopt);
  endpoints_.disable(id, "410");
  EXPECT_EQ(endpoints_.get(std::nullopt, id)->status, EndpointStatus::paused);
  endpoints_.set_status(std::nullopt, id, EndpointStatus::enabled, "", std::nullopt);
  endpoints_.disable(id, "410");
  EXPECT_EQ(endpoints_.get(std::nullopt, id)->status_reason, "410");
}

TEST_F(EndpointStoreTest, ListsByTenantInPages) {
  for (int i = 0; i < 3; ++i) endpoints_.create(complete());
  add_endpoint("other", {"*"});
  const auto first = endpoints_.list("acme", {.limit = 2, .cursor = ""});
  ASSERT_THAT(first.items, SizeIs(2));
  const auto second = endpoints_.list("acme", {.limit = 2, .cursor = first.next_cursor});
  EXPECT_THAT(second.items, SizeIs(1));
  EXPECT_THAT(second.next_cursor, IsEmpty());
  EXPECT_THAT(endpoints_.list(std::nullopt, {}).items, SizeIs(4));
}

TEST(EndpointCodecTest, PresetsAreStoredByName) {
  for (const std::string_view name : retry_preset_names()) {
    const RetryPolicy preset = *retry_preset(name);
    EXPECT_THAT(retry_to_json(preset), HasSubstr(std::string(name)));
    const RetryPolicy again = retry_from_json(retry_to_json(preset));
    EXPECT_EQ(again.preset, name);
    EXPECT_EQ(again.delays, preset.delays);
  }
}

TEST(EndpointCodecTest, OwnListsKeepEveryField) {
  RetryPolicy policy;
  policy.delays = {Milliseconds(1), Milliseconds(60'000)};
  policy.jitter = 0.125;
  policy.end_on = {410, 404};
  policy.end_on_4xx = true;
  policy.retry_on = {429};
  policy.disable_endpoint_on_gone = true;
  const RetryPolicy again = retry_from_json(retry_to_json(policy));
  EXPECT_EQ(again.delays, policy.delays);
  EXPECT_EQ(again.jitter, policy.jitter);
  EXPECT_EQ(again.end_on, policy.end_on);
  EXPECT_TRUE(again.end_on_4xx);
  EXPECT_EQ(again.retry_on, policy.retry_on);
  EXPECT_TRUE(again.disable_endpoint_on_gone);
}

TEST(EndpointCodecTest, ErrorsDoNotQuoteTheText) {
  try {
    headers_from_json(SecretText("{\"X-Api-Key\": \"canary\", 5}"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("canary")));
  }
}

using TokenStoreTest = StorageTest;

TEST_F(TokenStoreTest, StoresOnlyTheHashOfAToken) {
  PgTokenStore tokens(options_, random_);
  const SecretText token = tokens.create("deploy", Role::op, "acme");
  const std::string text(token.reveal());
  EXPECT_THAT(text, testing::MatchesRegex("sp_[A-Za-z0-9_-]+"));
  EXPECT_THAT(text, SizeIs(46));
  EXPECT_THAT(value("SELECT t::text FROM sealpost.tokens t"), Not(HasSubstr(text.substr(3))));
  EXPECT_EQ(value("SELECT encode(sha256, 'hex') FROM sealpost.tokens"), hex_encode(sha256(text)));
  const auto found = tokens.find(token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->role, Role::op);
  EXPECT_EQ(found->tenant, "acme");
  EXPECT_EQ(found->name, "deploy");
  EXPECT_FALSE(tokens.find(SecretText("sp_unknown")));
  run("UPDATE sealpost.tokens SET revoked_at = now()");
  EXPECT_FALSE(tokens.find(token));
}

}  // namespace
}  // namespace sealpost
