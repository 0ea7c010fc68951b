// Encryption of endpoints, and the calls about receivers' keys.
#include "core/limits.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

const std::string kKeys = "/v1/merchant/webhook-keys";
const std::string kKey = "MCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
const std::string kFingerprint = "ef1f7d8ef0ab699b890076ef20201662cde62fccd4571b98c263d73c2d1d574f";
const std::string kEd25519 = "MCowBQYDK2VwAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

// Any 32 bytes that are no point of low order are a key.
std::string other_key(char digit) { return std::string(64, digit); }

class EncryptionCallsTest : public ApiFixture {
 protected:
  Json make_key(const Json& members) {
    const Answer answer = post(kKeys, members);
    EXPECT_EQ(answer.status, 201) << answer.text;
    return answer.json;
  }
  static std::string path_of(const Json& endpoint) {
    return "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  }
  static std::string key_path(const Json& key, const std::string& rest = "") {
    return kKeys + "/" + key.at("id").get<std::string>() + rest;
  }
};

// -------------------------------------------------------------------------------------- endpoints

TEST_F(EncryptionCallsTest, AnEndpointIsCreatedWithItsKey) {
  const Json endpoint =
      make_endpoint({{"encryption", {{"public_key", kKey}, {"key_type", "x25519"}}}});
  EXPECT_EQ(endpoint.at("encryption"), Json({{"enabled", true},
                                             {"key_type", "x25519"},
                                             {"public_key_fingerprint", kFingerprint},
                                             {"enc_header", "auto"},
                                             {"reuse_ephemeral_keys", false}}));
  EXPECT_EQ(get(path_of(endpoint)).json.at("encryption"), endpoint.at("encryption"));
  const Json keys = get(kKeys).json.at("data");
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].at("endpoint_id"), endpoint.at("id"));
}

TEST_F(EncryptionCallsTest, WithoutEncryptionThereIsNoFingerprint) {
  EXPECT_EQ(make_endpoint().at("encryption"), Json({{"enabled", false},
                                                    {"key_type", "x25519"},
                                                    {"public_key_fingerprint", nullptr},
                                                    {"enc_header", "auto"},
                                                    {"reuse_ephemeral_keys", false}}));
}

TEST_F(EncryptionCallsTest, ATenantsKeyServesItsEndpoints) {
  const Answer refused =
      post("/v1/webhook-endpoints", endpoint_body({{"encryption", {{"enabled", true}}}}));
  expect_problem(refused, 422, "encryption_key_required");
  EXPECT_EQ(refused.json.at("param"), "encryption.public_key");
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data"), Json::array());
  make_key({{"public_key", kKey}});
  const Json endpoint = make_endpoint({{"encryption", {{"enabled", true}}}});
  EXPECT_EQ(endpoint.at("encryption").at("public_key_fingerprint"), kFingerprint);
}

TEST_F(EncryptionCallsTest, AChangeMergesAndNullDisables) {
  const Json endpoint = make_endpoint({{"encryption", {{"public_key", kKey}}}});
  const auto change = [&](const Json& encryption) {
    const Answer answer = patch(path_of(endpoint), {{"encryption", encryption}});
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.json.at("encryption");
  };
  const Json full = change({{"enc_header", "full"}, {"reuse_ephemeral_keys", true}});
  EXPECT_EQ(full.at("enabled"), true);
  EXPECT_EQ(full.at("enc_header"), "full");
  EXPECT_EQ(full.at("reuse_ephemeral_keys"), true);
  EXPECT_EQ(change({{"enabled", false}}).at("enc_header"), "full");
  const Json replaced = change({{"public_key", other_key('a')}});
  EXPECT_EQ(replaced.at("enabled"), true);
  EXPECT_NE(replaced.at("public_key_fingerprint"), kFingerprint);
  const Json disabled = change(nullptr);
  EXPECT_EQ(disabled.at("enabled"), false);
  EXPECT_EQ(disabled.at("enc_header"), "auto");
  EXPECT_EQ(disabled.at("public_key_fingerprint"), nullptr);
  const Answer other_change = patch(path_of(endpoint), {{"description", "x"}});
  EXPECT_EQ(other_change.json.at("encryption"), disabled);
}

struct WrongEncryption {
  const char* what;
  Json encryption;
  std::string code;
  std::string param;
};

TEST_F(EncryptionCallsTest, RefusesWhatIsNoEncryption) {
  const WrongEncryption wrong[] = {
      {"no object", true, "wrong_type", "encryption"},
      {"Ed25519", {{"public_key", kEd25519}}, "invalid_public_key", "encryption.public_key"},
      {"short", {{"public_key", "AAAA"}}, "invalid_public_key", "encryption.public_key"},
      {"low order",
       {{"public_key", other_key('0')}},
       "invalid_public_key",
       "encryption.public_key"},
      {"no key", {{"public_key", 5}}, "wrong_type", "encryption.public_key"},
      {"over-long", {{"public_key", std::string(1001, 'a')}}, "too_long", "encryption.public_key"},
      {"another type",
       {{"public_key", kKey}, {"key_type", "rsa"}},
       "invalid_value",
       "encryption.key_type"},
      {"another header rule", {{"enc_header", "long"}}, "invalid_value", "encryption.enc_header"},
      {"flag", {{"enabled", "yes"}}, "wrong_type", "encryption.enabled"},
      {"flag", {{"reuse_ephemeral_keys", 1}}, "wrong_type", "encryption.reuse_ephemeral_keys"},
      {"unknown", {{"algorithm", "x"}}, "unknown_field", "encryption.algorithm"},
  };
  const Json endpoint = make_endpoint();
  for (const WrongEncryption& each : wrong) {
    const Json members = {{"encryption", each.encryption}};
    for (const Answer& answer : {post("/v1/webhook-endpoints", endpoint_body(members)),
                                 patch(path_of(endpoint), members)}) {
      expect_problem(answer, 422, each.code);
      EXPECT_EQ(answer.json.value("param", ""), each.param) << each.what;
    }
  }
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data").size(), 1U);
  EXPECT_EQ(get(path_of(endpoint)).header("ETag"), "\"v1\"") << "nothing was changed";
  EXPECT_EQ(get(kKeys).json.at("data"), Json::array());
}

TEST_F(EncryptionCallsTest, APrivateKeyIsNotRepeatedInTheRefusal) {
  const std::string key = "MC4CAQAwBQYDK2VuBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";
  const Answer answer = post(kKeys, {{"public_key", key}});
  expect_problem(answer, 422, "invalid_public_key");
  EXPECT_EQ(answer.text.find(key), std::string::npos);
  EXPECT_NE(answer.text.find("private key"), std::string::npos);
}

TEST_F(EncryptionCallsTest, SealedJsonHasSecretsOfItsOwn) {
  const Json endpoint = make_endpoint({{"signing", "sealed-json"}});
  EXPECT_EQ(endpoint.at("secret").get<std::string>().substr(0, 6), "rfsec_");
  const Json again = make_endpoint({{"signing", "sealed-json"}, {"secret", endpoint.at("secret")}});
  EXPECT_EQ(again.at("secret"), endpoint.at("secret"));
  const Answer wrong = post("/v1/webhook-endpoints",
                            endpoint_body({{"signing", "sealed-json"},
                                           {"secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}));
  expect_problem(wrong, 422, "invalid_value");
  EXPECT_EQ(wrong.json.at("param"), "secret");
  const Answer twice =
      post("/v1/webhook-endpoints",
           endpoint_body({{"signing", "sealed-json"}, {"encryption", {{"public_key", kKey}}}}));
  expect_problem(twice, 422, "invalid_value");
  EXPECT_EQ(twice.json.at("param"), "encryption");
  expect_problem(patch(path_of(make_endpoint()), {{"signing", "sealed-json"}}), 422,
                 "invalid_value");
}

TEST_F(EncryptionCallsTest, OnlySealedJsonCanRequireEncryptedAnswers) {
  const Json required = {{"require_encrypted_response", true}};
  Json sealed = required;
  sealed["signing"] = "sealed-json";
  const Json endpoint = make_endpoint(sealed);
  EXPECT_EQ(endpoint.at("require_encrypted_response"), true);
  EXPECT_EQ(make_endpoint().at("require_encrypted_response"), false);
  EXPECT_EQ(
      make_endpoint({{"require_encrypted_response", false}}).at("id").get<std::string>().size(),
      29U);

  const Json plain = make_endpoint();
  for (const Answer& answer :
       {post("/v1/webhook-endpoints", endpoint_body(required)), patch(path_of(plain), required)}) {
    expect_problem(answer, 422, "invalid_value");
    EXPECT_EQ(answer.json.at("param"), "require_encrypted_response");
    EXPECT_NE(answer.text.find("sealed-json"), std::string::npos) << "says what to do";
  }
  EXPECT_EQ(get(path_of(plain)).json.at("require_encrypted_response"), false);
  expect_problem(patch(path_of(endpoint), {{"require_encrypted_response", "yes"}}), 422,
                 "wrong_type");
  EXPECT_EQ(patch(path_of(endpoint), {{"description", "x"}}).json.at("require_encrypted_response"),
            true);
  for (const Json& off : {Json(false), Json(nullptr)}) {
    EXPECT_EQ(patch(path_of(endpoint), required).json.at("require_encrypted_response"), true);
    EXPECT_EQ(patch(path_of(endpoint), {{"require_encrypted_response", off}})
                  .json.at("require_encrypted_response"),
              false);
  }
}

// ------------------------------------------------------------------------------------------- keys

TEST_F(EncryptionCallsTest, RegistersAndShowsAKey) {
  const Answer answer = post(
      kKeys, {{"public_key", "-----BEGIN PUBLIC KEY-----\n" + kKey + "\n-----END PUBLIC KEY-----"},
              {"key_type", "x25519"},
              {"label", "2026"}});
  ASSERT_EQ(answer.status, 201) << answer.text;
  EXPECT_EQ(answer.header("Location"), key_path(answer.json));
  EXPECT_EQ(answer.json.at("id").get<std::string>().substr(0, 4), "whk_");
  EXPECT_EQ(answer.json.at("fingerprint"), kFingerprint);
  EXPECT_EQ(answer.json.at("public_key"), kKey);
  EXPECT_EQ(answer.json.at("key_type"), "x25519");
  EXPECT_EQ(answer.json.at("label"), "2026");
  EXPECT_EQ(answer.json.at("tenant"), "default");
  EXPECT_EQ(answer.json.at("endpoint_id"), nullptr);
  EXPECT_EQ(answer.json.at("primary"), true);
  EXPECT_EQ(get(key_path(answer.json)).json, answer.json);
}

TEST_F(EncryptionCallsTest, AKeyMayBeForOneEndpoint) {
  const Json endpoint = make_endpoint({{"tenant", "acme"}});
  const Json key = make_key({{"public_key", kKey}, {"endpoint_id", endpoint.at("id")}});
  EXPECT_EQ(key.at("endpoint_id"), endpoint.at("id"));
  EXPECT_EQ(key.at("tenant"), "acme");
  const std::string body = Json({{"public_key", kKey}, {"endpoint_id", endpoint.at("id")}}).dump();
  expect_problem(call("POST", kKeys, globex_operator_, body), 404, "not_found");
  expect_problem(call("POST", kKeys, acme_operator_, body), 409, "webhook_key_exists");
}

TEST_F(EncryptionCallsTest, AnotherKeyIsMadePrimary) {
  make_key({{"public_key", kKey}});
  const Json second = make_key({{"public_key", other_key('a')}});
  EXPECT_EQ(second.at("primary"), false);
  const Json endpoint = make_endpoint({{"encryption", {{"enabled", true}}}});
  EXPECT_EQ(endpoint.at("encryption").at("public_key_fingerprint"), kFingerprint);
  const Answer answer = post(key_path(second, "/primary"), Json::object());
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json.at("primary"), true);
  EXPECT_EQ(get(path_of(endpoint)).json.at("encryption").at("public_key_fingerprint"),
            second.at("fingerprint"));
}

TEST_F(EncryptionCallsTest, KeysAreDeletedOneByOneOrAllOldOnes) {
  const Json first = make_key({{"public_key", kKey}});
  const Json second = make_key({{"public_key", other_key('a')}});
  const Json third = make_key({{"public_key", other_key('b')}});
  make_endpoint({{"encryption", {{"enabled", true}}}});
  const Answer one = remove(key_path(first));
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.json, Json({{"deleted", {first.at("id")}}}));
  const Answer old = remove(kKeys + "/old");
  EXPECT_EQ(old.status, 200);
  EXPECT_EQ(old.json, Json({{"deleted", {second.at("id")}}}));
  EXPECT_EQ(remove(kKeys + "/old").json, Json({{"deleted", Json::array()}}));
  expect_problem(remove(key_path(third)), 409, "last_encryption_key");
  EXPECT_EQ(get(kKeys).json.at("data").size(), 1U);
}

TEST_F(EncryptionCallsTest, OldKeysAreThoseOfOneScope) {
  const Json endpoint = make_endpoint({{"tenant", "acme"}, {"encryption", {{"public_key", kKey}}}});
  const std::string id = endpoint.at("id");
  make_key({{"public_key", other_key('a')}, {"endpoint_id", id}});
  make_key({{"public_key", other_key('b')}, {"tenant", "acme"}});
  EXPECT_EQ(remove(kKeys + "/old").json.at("deleted").size(), 0U) << "of the tenant default";
  EXPECT_EQ(remove(kKeys + "/old?tenant=acme").json.at("deleted").size(), 0U);
  EXPECT_EQ(remove(kKeys + "/old?tenant=acme&endpoint_id=" + id).json.at("deleted").size(), 1U);
  expect_problem(remove(kKeys + "/old?endpoint=" + id), 422, "unknown_parameter");
}

TEST_F(EncryptionCallsTest, RefusesBadKeys) {
  const Json wrong[] = {
      {{"label", "without"}},
      {{"public_key", kEd25519}},
      {{"public_key", kKey}, {"label", std::string(kMaxKeyLabelLength + 1, 'x')}},
      {{"public_key", kKey}, {"endpoint_id", "we_1"}},
      {{"public_key", kKey}, {"tenant", "a b"}},
      {{"public_key", kKey}, {"key_type", "ed25519"}},
      {{"public_key", kKey}, {"primary", true}},
      Json::array(),
  };
  for (const Json& members : wrong) {
    const Answer answer = post(kKeys, members);
    EXPECT_EQ(answer.status, 422) << members << answer.text;
  }
  EXPECT_EQ(get(kKeys).json.at("data"), Json::array());
  for (std::size_t i = 0; i < kMaxEncryptionKeys; ++i) {
    make_key({{"public_key", other_key(static_cast<char>('1' + i))}});
  }
  expect_problem(post(kKeys, {{"public_key", kKey}}), 409, "too_many_keys");
  expect_problem(post(kKeys, {{"public_key", other_key('1')}}), 409, "webhook_key_exists");
}

TEST_F(EncryptionCallsTest, KeysOfOthersDoNotExist) {
  const Json key = make_key({{"public_key", kKey}, {"tenant", "acme"}});
  for (const std::string& path : {key_path(key), kKeys + "/whk_1", kKeys + "/OLD"}) {
    expect_problem(call("GET", path, globex_operator_), 404, "webhook_key_not_found");
    expect_problem(call("DELETE", path, globex_operator_), 404, "webhook_key_not_found");
    expect_problem(call("POST", path + "/primary", globex_operator_, "{}"), 404,
                   "webhook_key_not_found");
  }
  EXPECT_EQ(call("GET", kKeys, globex_operator_).json.at("data"), Json::array());
  EXPECT_EQ(call("GET", key_path(key), acme_operator_).status, 200);
  const std::string body = Json({{"public_key", kKey}, {"tenant", "acme"}}).dump();
  expect_problem(call("POST", kKeys, globex_operator_, body), 403, "tenant_not_allowed");
}

TEST_F(EncryptionCallsTest, OnlyManagersChangeKeys) {
  const Json key = make_key({{"public_key", kKey}});
  EXPECT_EQ(call("GET", kKeys, readonly_).status, 200);
  const std::string body = Json({{"public_key", other_key('a')}}).dump();
  expect_problem(call("POST", kKeys, readonly_, body), 403, "forbidden");
  expect_problem(call("DELETE", key_path(key), readonly_), 403, "forbidden");
  expect_problem(call("POST", key_path(key, "/primary"), readonly_, "{}"), 403, "forbidden");
  expect_problem(call("GET", kKeys, producer_), 403, "forbidden");
}

}  // namespace
}  // namespace sealpost
