// The field `signing` of endpoints: presets with key pairs, custom profiles and why they are
// refused, and the public keys.
#include <gmock/gmock.h>

#include <atomic>
#include <cctype>
#include <ostream>

#include "base/bytes.h"
#include "core/signing_secret.h"
#include "core/storage_error.h"
#include "tests/admin_api/api_fixture.h"
#include "tests/admin_api/refusal.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""ms;

using SigningCallsTest = ApiFixture;

Json custom(const Json& changes = Json::object()) {
  Json profile = {
      {"alg", "hmac-sha256"}, {"content", "{ts}.{body}"}, {"sig_header", "X-Acme-Signature"},
      {"prefix", "t={ts},"},  {"item", "v1={sig}"},       {"join", ","},
      {"multi", "list"}};
  profile.update(changes);
  return {{"signing", {{"custom", std::move(profile)}}}};
}

TEST_F(SigningCallsTest, ACustomProfileIsStoredAndShown) {
  const Json full = custom({{"secret_decode", "base64url"},
                            {"timestamp", "ms"},
                            {"encoding", "base64url"},
                            {"headers", {{"X-Acme-Id", "{id}"}}},
                            {"kid", "key-7"},
                            {"constraints",
                             {{"body_utf8", true},
                              {"https_only", true},
                              {"tls_min", "1.3"},
                              {"max_header_value", 1000}}}});
  const Json endpoint = make_endpoint(full);
  EXPECT_EQ(endpoint.at("signing"), full.at("signing"));
  EXPECT_THAT(endpoint.at("secret").get<std::string>(), testing::MatchesRegex("[A-Za-z0-9]{40}"));
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  EXPECT_EQ(get(path).json.at("signing"), full.at("signing"));

  const Json other = custom({{"secret_decode", "base64url"}, {"item", "v2={sig}"}});
  const Answer changed = patch(path, other);
  EXPECT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.json.at("signing"), other.at("signing"));
  EXPECT_EQ(patch(path, {{"signing", "github"}}).json.at("signing"), Json({{"profile", "github"}}));
}

TEST_F(SigningCallsTest, DefaultsAreLeftOutOfTheAnswer) {
  const Json endpoint = make_endpoint(
      custom({{"secret_decode", "utf8"}, {"timestamp", "s"}, {"encoding", "hex"}, {"kid", ""}}));
  EXPECT_EQ(endpoint.at("signing"), custom().at("signing"));
}

TEST_F(SigningCallsTest, AKeyPairsPublicHalfIsShownAndItsPrivateHalfNever) {
  for (const char* name : {"standard-asymmetric", "httpsig", "httpsig-p256"}) {
    const Json endpoint = make_endpoint({{"signing", name}});
    EXPECT_FALSE(endpoint.contains("secret")) << name;
    const Json& keys = endpoint.at("signing").at("public_keys");
    ASSERT_EQ(keys.size(), 1U) << name;
    EXPECT_NE(public_key_jwk(keys[0].get<std::string>()), "") << name;
  }
  const Json both = make_endpoint({{"signing", "standard-both"}});
  EXPECT_THAT(both.at("secret").get<std::string>(), testing::MatchesRegex("whsec_[A-Za-z0-9]{40}"));
  EXPECT_EQ(both.at("signing").at("public_keys").size(), 1U);
  EXPECT_FALSE(make_endpoint().at("signing").contains("public_keys"));
}

TEST_F(SigningCallsTest, AnExistingKeyIsTakenOver) {
  // RFC 8037, appendix A.
  const std::string secret =
      "whsk_" + base64_encode(*base64url_decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
  const Json endpoint = make_endpoint({{"signing", "standard-asymmetric"}, {"secret", secret}});
  EXPECT_EQ(endpoint.at("signing").at("public_keys"),
            Json({"whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}));

  const Answer keys = call("GET", "/.well-known/jwks.json", "");
  EXPECT_EQ(keys.status, 200);
  EXPECT_EQ(keys.header("Content-Type"), "application/jwk-set+json");
  EXPECT_EQ(keys.header("Cache-Control"), "max-age=300");
  EXPECT_EQ(keys.json, Json::parse(R"({"keys": [{"crv": "Ed25519", "kty": "OKP",
      "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig", "alg": "EdDSA",
      "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}]})"));
  const Answer directory = call("GET", "/.well-known/http-message-signatures-directory", "");
  EXPECT_EQ(directory.header("Content-Type"), "application/http-message-signatures-directory+json");
  EXPECT_EQ(directory.text, keys.text);
}

// Nobody needs a token for it.
TEST_F(SigningCallsTest, TheKeySetIsReadFromTheDatabaseOnceInFiveSeconds) {
  std::atomic<int> reads{0};
  stores_.before_each_call(
      [&](std::string_view call) { reads += call == "endpoints.public_keys"; });
  const auto ask = [this] { return call("GET", "/.well-known/jwks.json", ""); };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask().status, 200);
  call("GET", "/.well-known/http-message-signatures-directory", "");
  EXPECT_EQ(reads, 1);

  clock_.advance(4'999ms);
  ask();
  EXPECT_EQ(reads, 1);
  clock_.advance(1ms);
  ask();
  EXPECT_EQ(reads, 2);
}

TEST_F(SigningCallsTest, WhatThisProcessChangesIsInTheKeySetAtOnce) {
  const auto keys = [this] { return call("GET", "/.well-known/jwks.json", "").json.at("keys"); };
  EXPECT_EQ(keys().size(), 0U);
  const Json endpoint = make_endpoint({{"signing", "httpsig"}});
  EXPECT_EQ(keys().size(), 1U);
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  post(path + "/secrets/rotate", Json::object());
  EXPECT_EQ(keys().size(), 2U);
}

TEST_F(SigningCallsTest, NoKeySetIsKeptThatCouldNotBeRead) {
  stores_.before_each_call([](std::string_view call) {
    if (call != "endpoints.public_keys") return;
    throw StorageError(StorageError::Kind::unavailable, "no database");
  });
  EXPECT_EQ(call("GET", "/.well-known/jwks.json", "").status, 503);
  stores_.before_each_call({});
  EXPECT_EQ(call("GET", "/.well-known/jwks.json", "").status, 200);
}

TEST_F(SigningCallsTest, SharedSecretsAreInNoKeySet) {
  make_endpoint();
  make_endpoint({{"signing", "httpsig-hmac"}});
  EXPECT_EQ(call("GET", "/.well-known/jwks.json", "").text, R"({"keys":[]})");
}

TEST_F(SigningCallsTest, AKeyOfAnotherKindCannotTakeOver) {
  const auto refused = [this](const Json& before, const char* after) {
    const Json endpoint = make_endpoint(before);
    const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
    const Answer answer = patch(path, {{"signing", after}});
    if (answer.status == 200) return false;
    expect_problem(answer, 422, "invalid_value");
    EXPECT_EQ(get(path).json.at("signing"), endpoint.at("signing"));
    return true;
  };
  EXPECT_TRUE(refused({{"signing", "httpsig"}}, "github"));
  EXPECT_TRUE(refused({{"signing", "github"}}, "httpsig"));
  EXPECT_TRUE(refused({{"signing", "httpsig"}}, "httpsig-p256"));
  EXPECT_TRUE(refused({{"signing", "standard"}}, "standard-both"));
  EXPECT_TRUE(refused({{"signing", "standard-both"}}, "itpay"));
  EXPECT_FALSE(refused({{"signing", "httpsig"}}, "standard-asymmetric"));
  EXPECT_FALSE(refused({{"signing", "standard"}}, "httpsig-hmac"));
}

TEST_F(SigningCallsTest, ANextHeaderIsShownWithPresetsAndOwnProfiles) {
  Json signing = {{"profile", "github"}, {"next_header", true}};
  const Json endpoint = make_endpoint({{"signing", signing}});
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  EXPECT_EQ(get(path).json.at("signing"), signing);
  EXPECT_EQ(patch(path, {{"description", "kept"}}).json.at("signing"), signing);
  EXPECT_EQ(patch(path, {{"signing", "github"}}).json.at("signing"), Json({{"profile", "github"}}))
      << "signing is replaced as a whole";

  signing = custom({{"multi", "single"}}).at("signing");
  signing["next_header"] = true;
  EXPECT_EQ(patch(path, {{"signing", signing}}).json.at("signing").at("next_header"), true);
}

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> list = {
      {"name and own",
       {{"signing", {{"profile", "github"}, {"custom", Json::object()}}}},
       "invalid_value",
       "signing.custom"},
      {"no object", {{"signing", {{"custom", 5}}}}, "wrong_type", "signing.custom"},
      {"next header of a list",
       {{"signing", {{"profile", "stripe"}, {"next_header", true}}}},
       "invalid_value",
       "signing.next_header"},
      {"next header is a flag",
       {{"signing", {{"profile", "github"}, {"next_header", "yes"}}}},
       "wrong_type",
       "signing.next_header"},
      {"static header of the next one",
       {{"signing", {{"profile", "github"}, {"next_header", true}}},
        {"headers", {{"x-hub-signature-256-next", "x"}}}},
       "header_not_allowed",
       "headers.x-hub-signature-256-next"},
      {"unknown field", custom({{"algorithm", "x"}}), "unknown_field", "signing.custom.algorithm"},
      {"alg", custom({{"alg", "md5"}}), "invalid_value", "signing.custom.alg"},
      {"secret_decode", custom({{"secret_decode", "rot13"}}), "invalid_value",
       "signing.custom.secret_decode"},
      {"timestamp", custom({{"timestamp", "minutes"}}), "invalid_value",
       "signing.custom.timestamp"},
      {"encoding", custom({{"encoding", "HEX"}}), "invalid_value", "signing.custom.encoding"},
      {"multi", custom({{"multi", "many"}}), "invalid_value", "signing.custom.multi"},
      {"tls_min", custom({{"constraints", {{"tls_min", "1.1"}}}}), "invalid_value",
       "signing.custom.constraints.tls_min"},
      {"max_header_value", custom({{"constraints", {{"max_header_value", 5000}}}}), "out_of_range",
       "signing.custom.constraints.max_header_value"},
      {"unknown constraint", custom({{"constraints", {{"body_xml", true}}}}), "unknown_field",
       "signing.custom.constraints.body_xml"},
      {"unknown variable", custom({{"content", "{bdy}"}}), "invalid_value",
       "signing.custom.content"},
      {"body in a header", custom({{"prefix", "{body}"}}), "invalid_value",
       "signing.custom.prefix"},
      {"unpaired brace", custom({{"item", "{sig"}}), "invalid_value", "signing.custom.item"},
      {"line break", custom({{"content", "{ts}\r\n{body}"}}), "invalid_value",
       "signing.custom.content"},
      {"NUL", custom({{"content", std::string("{ts}\0{body}", 11)}}), "invalid_value",
       "signing.custom.content"},
      {"non ASCII", custom({{"content", "{ts}\xC3\xA9{body}"}}), "invalid_value",
       "signing.custom.content"},
      {"line break in a header", custom({{"headers", {{"X-A", "a\nX-B: c"}}}}), "invalid_value",
       "signing.custom.headers.X-A"},
      {"too long", custom({{"content", std::string(1025, 'a')}}), "too_long",
       "signing.custom.content"},
      {"body not signed", custom({{"content", "{ts}"}}), "invalid_value", "signing.custom.content"},
      {"form in a JSON envelope", custom({{"content", "{ts}.{form_sorted}"}}), "invalid_value",
       "envelope"},
      {"encrypted form",
       [] {
         Json members = custom({{"content", "{ts}.{form_sorted}"}});
         members["envelope"] = "raw";
         members["encryption"] = {
             {"public_key", "MCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw="}};
         return members;
       }(),
       "invalid_value", "encryption"},
      {"time not sent", custom({{"prefix", ""}}), "invalid_value", "signing.custom.content"},
      {"no signature", custom({{"item", "v1="}}), "invalid_value", "signing.custom.item"},
      {"no separator", custom({{"join", ""}}), "invalid_value", "signing.custom.join"},
      {"no header", custom({{"sig_header", ""}}), "invalid_value", "signing.custom.sig_header"},
      {"header of HTTP", custom({{"sig_header", "Content-Length"}}), "invalid_value",
       "signing.custom.sig_header"},
      {"header of a proxy", custom({{"headers", {{"Proxy-Auth", "x"}}}}), "invalid_value",
       "signing.custom.headers"},
      {"pseudo header", custom({{"headers", {{":path", "x"}}}}), "invalid_value",
       "signing.custom.headers"},
      {"header of the sender", custom({{"headers", {{"Content-Type", "x"}}}}), "invalid_value",
       "signing.custom.headers"},
      {"header twice", custom({{"headers", {{"x-acme-signature", "x"}}}}), "invalid_value",
       "signing.custom.headers"},
      {"header ends with a space", custom({{"headers", {{"X-A", "x "}}}}), "invalid_value",
       "signing.custom.headers"},
      {"header too long for two secrets", custom({{"constraints", {{"max_header_value", 100}}}}),
       "invalid_value", "signing.custom.item"},
      {"secret_decode of a key pair", custom({{"alg", "ed25519"}, {"secret_decode", "hex"}}),
       "invalid_value", "signing.custom.secret_decode"},
      {"static header of the profile",
       [] {
         Json members = custom();
         members["headers"] = {{"X-ACME-Signature", "x"}};
         return members;
       }(),
       "header_not_allowed", "headers.X-ACME-Signature"},
      {"secret of another form",
       [] {
         Json members = custom({{"secret_decode", "hex"}});
         members["secret"] = "sixteen-bytes-and";
         return members;
       }(),
       "invalid_value", "secret"},
      {"key of another kind",
       {{"signing", "httpsig"}, {"secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
       "invalid_value",
       "secret"},
      {"half of two keys",
       {{"signing", "standard-both"}, {"secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
       "invalid_value",
       "secret"},
  };
  return list;
}

class SigningRefusalTest : public ApiFixture, public testing::WithParamInterface<Refusal> {};

TEST_P(SigningRefusalTest, NamesTheFieldAndCreatesNothing) {
  const Answer answer = post("/v1/webhook-endpoints", endpoint_body(GetParam().members));
  expect_problem(answer, 422, GetParam().code);
  EXPECT_EQ(answer.json.value("param", ""), GetParam().param) << answer.text;
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data"), Json::array());
}

INSTANTIATE_TEST_SUITE_P(Create, SigningRefusalTest, testing::ValuesIn(refusals()), test_name);

}  // namespace
}  // namespace sealpost
