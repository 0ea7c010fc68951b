#include "storage/pg_secret_store.h"

#include "core/limits.h"
#include "core/signing_secret.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class SecretStoreTest : public StorageTest {
 protected:
  using Records = std::vector<SecretRecord>;

  static SecretRotation rotation(const std::string& secret, bool force = false) {
    return {.secret = SecretText(secret),
            .ours = true,
            .public_key = "",
            .reason = "test",
            .grace = std::chrono::hours{1},
            .force = force};
  }
  int version() { return endpoints_.get(std::nullopt, id_)->version; }
  std::variant<RotatedSecrets, SecretRefusal> rotate(const std::string& secret,
                                                     bool force = false) {
    return secrets_.rotate("acme", id_, version(), rotation(secret, force));
  }
  Endpoint loaded() { return endpoints_.load(std::span(&id_, 1)).at(0); }
  std::vector<std::string> loaded_secrets() {
    std::vector<std::string> texts;
    for (const SecretText& secret : loaded().secrets) texts.emplace_back(secret.reveal());
    return texts;
  }
  // The grace of the older secret is over.
  void end_grace() {
    run("UPDATE sealpost.endpoint_secrets SET expires_at = clock_timestamp() "
        "WHERE expires_at IS NOT NULL");
  }

  PgSecretStore secrets_{options_, master_keys_, random_};
  EndpointId id_ = add_endpoint("acme", {"*"});
};

TEST_F(SecretStoreTest, BothSecretsAreValidUntilTheGraceEnds) {
  EXPECT_FALSE(loaded().grace);
  const auto rotated = std::get<RotatedSecrets>(rotate("second"));
  EXPECT_EQ(rotated.now.fingerprint, secret_fingerprint(SecretText("second")));
  EXPECT_EQ(*rotated.before.value().expires_at - rotated.now.created_at > std::chrono::minutes{59},
            true);
  EXPECT_THAT(loaded_secrets(), ElementsAre("second", "whsec_test"));
  const Endpoint endpoint = loaded();
  EXPECT_EQ(endpoint.version, 2) << "so that dispatchers load it again";
  EXPECT_GT(endpoint.grace.value().left, std::chrono::minutes{59});
  EXPECT_LE(endpoint.grace.value().left, std::chrono::hours{1});
  EXPECT_FALSE(endpoint.grace.value().activated);
  EXPECT_LT(endpoint.grace.value().new_for, std::chrono::minutes{1});
  EXPECT_EQ(endpoint.secret_key_ids.at(0), rotated.now.fingerprint);
  EXPECT_EQ(endpoint.secret_key_ids.at(1), rotated.before->id.text()) << "it was handed in";
  end_grace();
  EXPECT_THAT(loaded_secrets(), ElementsAre("second"));
  EXPECT_FALSE(loaded().grace);
}

TEST_F(SecretStoreTest, AGraceSaysHowLongTheNewSecretHasExisted) {
  rotate("second");
  run("UPDATE sealpost.endpoint_secrets SET created_at = created_at - interval '10 minutes'");
  EXPECT_GE(loaded().grace.value().new_for, std::chrono::minutes{10});
  EXPECT_LT(loaded().grace.value().new_for, std::chrono::minutes{11});
}

TEST_F(SecretStoreTest, ASecondRotationMustBeForcedAndLeavesTwoSecrets) {
  rotate("second");
  EXPECT_EQ(std::get<SecretRefusal>(rotate("third")), SecretRefusal::in_progress);
  EXPECT_THAT(loaded_secrets(), ElementsAre("second", "whsec_test"));
  EXPECT_EQ(version(), 2) << "a refusal changes nothing";
  const auto forced = std::get<RotatedSecrets>(rotate("third", true));
  EXPECT_EQ(forced.before.value().fingerprint, secret_fingerprint(SecretText("second")));
  EXPECT_THAT(loaded_secrets(), ElementsAre("third", "second"));
  const auto all = std::get<Records>(secrets_.list("acme", id_));
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_LE(*all[2].expires_at - all[0].created_at, kMinSecretGrace + std::chrono::seconds{1});
  end_grace();
  EXPECT_TRUE(std::holds_alternative<RotatedSecrets>(rotate("fourth")));
}

TEST_F(SecretStoreTest, NothingRetiresSoonerThanDispatchersLearnOfIt) {
  SecretRotation cut = rotation("second");
  cut.grace = std::chrono::seconds{0};
  const auto rotated = std::get<RotatedSecrets>(secrets_.rotate("acme", id_, 1, cut));
  EXPECT_GE(*rotated.before.value().expires_at - rotated.now.created_at,
            kMinSecretGrace - std::chrono::milliseconds{500});
}

TEST_F(SecretStoreTest, ActivateAndRevokeChangeTheGrace) {
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.activate("acme", id_)), SecretRefusal::no_rotation);
  rotate("second");
  EXPECT_TRUE(std::get<Records>(secrets_.activate("acme", id_))[0].activated_at);
  EXPECT_TRUE(loaded().grace.value().activated);
  EXPECT_EQ(loaded().version, 3);
  std::get<Records>(secrets_.revoke_previous("acme", id_));
  EXPECT_LE(loaded().grace.value().left, kMinSecretGrace);
  EXPECT_EQ(loaded().version, 4);
  end_grace();
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.activate("acme", id_)), SecretRefusal::expired);
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.revoke_previous("acme", id_)), SecretRefusal::expired);
}

TEST_F(SecretStoreTest, OnlyTheNewestAreKept) {
  for (int i = 0; i < kKeptSecrets + 3; ++i) rotate("secret-" + std::to_string(i), true);
  EXPECT_THAT(std::get<Records>(secrets_.list("acme", id_)),
              SizeIs(static_cast<std::size_t>(kKeptSecrets)));
  EXPECT_THAT(loaded_secrets(), ElementsAre("secret-12", "secret-11"));
}

TEST_F(SecretStoreTest, AnotherTenantsOrVersionsEndpointIsRefused) {
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.rotate("other", id_, 1, rotation("x"))),
            SecretRefusal::not_found);
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.rotate("acme", id_, 7, rotation("x"))),
            SecretRefusal::version_differs);
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.list("other", id_)), SecretRefusal::not_found);
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.activate("other", id_)), SecretRefusal::not_found);
  endpoints_.set_status("acme", id_, EndpointStatus::deleted, "", std::nullopt);
  EXPECT_EQ(std::get<SecretRefusal>(secrets_.list("acme", id_)), SecretRefusal::not_found);
}

// With one of two nobody could tell what a receiver accepts.
TEST_F(SecretStoreTest, OneUnreadableSecretMakesBothUnusable) {
  rotate("second");
  run("UPDATE sealpost.endpoint_secrets SET key_id = 'fedcba9876543210' WHERE expires_at IS NULL");
  EXPECT_THAT(loaded().secrets, testing::IsEmpty());
  EXPECT_FALSE(loaded().grace);
}

}  // namespace
}  // namespace sealpost
