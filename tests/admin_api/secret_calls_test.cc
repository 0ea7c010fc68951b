// Rotating signing secrets by the API.
#include "core/limits.h"
#include "core/signing_secret.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

using SecretCallsTest = ApiFixture;

constexpr char kGiven[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string path_of(const Json& endpoint, const std::string& rest = "/secrets") {
  return "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>() + rest;
}

std::string fingerprint(const Json& secret) {
  return secret_fingerprint(SecretText(secret.get<std::string>()));
}

TEST_F(SecretCallsTest, RotatesAndShowsTheNewSecretOnce) {
  const Json endpoint = make_endpoint();
  const Answer answer = post(path_of(endpoint, "/secrets/rotate"), {{"reason", "yearly"}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  const Json& json = answer.json;
  EXPECT_EQ(json.at("endpoint_id"), endpoint.at("id"));
  EXPECT_NE(json.at("secret"), endpoint.at("secret"));
  EXPECT_EQ(json.at("old_key_fingerprint"), fingerprint(endpoint.at("secret")));
  EXPECT_EQ(json.at("new_key_fingerprint"), fingerprint(json.at("secret")));
  EXPECT_EQ(json.at("created_at"), "2026-05-27T09:00:01.000Z");
  EXPECT_EQ(json.at("old_key_expires_at"), "2026-05-28T09:00:01.000Z") << "a day unless set";
  EXPECT_EQ(stores_.secret_of(EndpointId(endpoint.at("id"))), json.at("secret"));

  const Answer list = get(path_of(endpoint));
  ASSERT_EQ(list.status, 200);
  const Json& data = list.json.at("data");
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[0].at("state"), "current");
  EXPECT_EQ(data[0].at("reason"), "yearly");
  EXPECT_EQ(data[1].at("state"), "previous");
  EXPECT_EQ(list.text.find("whsec_"), std::string::npos);
  clock_.advance(kDefaultSecretGrace);
  EXPECT_EQ(get(path_of(endpoint)).json.at("data")[1].at("state"), "retired");
}

TEST_F(SecretCallsTest, TheSeedsFormMeansTheOnlyEndpoint) {
  const std::string path = "/v1/merchant/webhook-secrets/rotate";
  expect_problem(post(path, Json::object()), 404, "not_found");
  const Json first = make_endpoint({{"tenant", "acme"}});
  const Json body = {{"reason", "r"}, {"grace_period_seconds", 3600}};
  const Answer only = post(path, body);
  ASSERT_EQ(only.status, 200) << only.text;
  EXPECT_EQ(only.json.at("endpoint_id"), first.at("id"));
  const Json second = make_endpoint({{"tenant", "acme"}});
  make_endpoint({{"tenant", "globex"}});
  expect_problem(post(path, body), 409, "endpoint_id_required");
  Json named = body;
  named["endpoint_id"] = second.at("id");
  EXPECT_EQ(post(path, named).json.at("endpoint_id"), second.at("id"));
  EXPECT_EQ(call("POST", path, globex_operator_, "{}").status, 200) << "its only one";
  expect_problem(call("POST", path, globex_operator_, named.dump()), 404, "not_found");
  named["endpoint_id"] = "we_nonsense";
  expect_problem(post(path, named), 404, "not_found");
}

TEST_F(SecretCallsTest, AtOnceTakesAsLongAsDispatchersNeed) {
  const Json endpoint = make_endpoint();
  const Answer answer = post(path_of(endpoint, "/secrets/rotate"), {{"grace_period_seconds", 0}});
  EXPECT_EQ(answer.json.at("old_key_expires_at"), "2026-05-27T09:00:06.000Z");
}

TEST_F(SecretCallsTest, ASecondRotationWaitsForTheGraceOrIsForced) {
  const Json endpoint = make_endpoint();
  const std::string rotate = path_of(endpoint, "/secrets/rotate");
  const Json first = post(rotate, {{"grace_period_seconds", 60}}).json;
  const Answer refused = post(rotate, Json::object());
  expect_problem(refused, 409, "rotation_in_progress");
  EXPECT_EQ(stores_.secret_of(EndpointId(endpoint.at("id"))), first.at("secret"));
  const Answer forced = post(rotate, {{"force", true}});
  ASSERT_EQ(forced.status, 200) << forced.text;
  EXPECT_EQ(forced.json.at("old_key_fingerprint"), first.at("new_key_fingerprint"));
  clock_.advance(kDefaultSecretGrace);
  EXPECT_EQ(post(rotate, Json::object()).status, 200);
}

TEST_F(SecretCallsTest, ActivateAndRevokeNeedARotation) {
  const Json endpoint = make_endpoint();
  for (const char* verb : {"/secrets/activate", "/secrets/revoke-previous"}) {
    const std::string path = path_of(endpoint, verb);
    expect_problem(post(path, Json::object()), 409, "no_rotation_in_progress");
  }
  post(path_of(endpoint, "/secrets/rotate"), Json::object());
  const Answer active = post(path_of(endpoint, "/secrets/activate"), Json::object());
  ASSERT_EQ(active.status, 200) << active.text;
  EXPECT_EQ(active.json.at("data")[0].at("activated_at"), "2026-05-27T09:00:01.000Z");
  const Answer revoked = post(path_of(endpoint, "/secrets/revoke-previous"), Json::object());
  ASSERT_EQ(revoked.status, 200) << revoked.text;
  EXPECT_EQ(revoked.json.at("data")[1].at("expires_at"), "2026-05-27T09:00:06.000Z");
  clock_.advance(kMinSecretGrace);
  for (const char* verb : {"/secrets/activate", "/secrets/revoke-previous"}) {
    const std::string path = path_of(endpoint, verb);
    expect_problem(post(path, Json::object()), 409, "webhook_secret_expired");
  }
}

TEST_F(SecretCallsTest, TakesOverAGivenSecretAndShowsNoHashOfIt) {
  const Json endpoint = make_endpoint();
  const Answer answer = post(path_of(endpoint, "/secrets/rotate"), {{"secret", kGiven}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json.at("secret"), kGiven);
  EXPECT_EQ(answer.json.at("new_key_fingerprint"), nullptr);
  EXPECT_EQ(stores_.secret_of(EndpointId(endpoint.at("id"))), kGiven);
}

TEST_F(SecretCallsTest, RefusesWhatCannotBeDone) {
  const Json endpoint = make_endpoint();
  const std::string rotate = path_of(endpoint, "/secrets/rotate");
  const std::string before = stores_.secret_of(EndpointId(endpoint.at("id")));
  const std::vector<std::pair<Json, std::string>> refusals = {
      {{{"grace_period_seconds", -1}}, "out_of_range"},
      {{{"grace_period_seconds", 604801}}, "out_of_range"},
      {{{"grace_period_seconds", "1"}}, "wrong_type"},
      {{{"force", "yes"}}, "wrong_type"},
      {{{"reason", std::string(501, 'x')}}, "too_long"},
      {{{"secret", "short"}}, "too_short"},
      {{{"secret", "whsec_ with spaces in between"}}, "invalid_value"},
      {{{"secret", "0123456789abcdef0123456789"}}, "invalid_value"},
      {{{"secret", "whsec_AAAAAAAAAAAAAAAAAAAA"}}, "invalid_value"},
      {{{"endpoint_id", endpoint.at("id")}}, "unknown_field"},
  };
  for (const auto& [body, code] : refusals) {
    const Answer answer = post(rotate, body);
    expect_problem(answer, 422, code);
    EXPECT_EQ(answer.text.find("0123456789abcdef"), std::string::npos) << "shows a secret";
  }
  expect_problem(post(path_of(endpoint, "/secrets/activate"), {{"reason", "x"}}), 422,
                 "unknown_field");
  EXPECT_EQ(stores_.secret_of(EndpointId(endpoint.at("id"))), before);
  expect_problem(call("POST", rotate, readonly_, "{}"), 403, "forbidden");
  EXPECT_EQ(call("GET", path_of(endpoint), readonly_).status, 200);
  for (const char* verb : {"/secrets/rotate", "/secrets/activate", "/secrets/revoke-previous"}) {
    expect_problem(call("POST", path_of(endpoint, verb), acme_operator_, "{}"), 404, "not_found");
  }
  expect_problem(call("GET", path_of(endpoint), acme_operator_), 404, "not_found");
}

TEST_F(SecretCallsTest, ChecksAgainWhenTheEndpointChangedMeanwhile) {
  const Json endpoint = make_endpoint({{"signing", "stripe"}});
  const std::string path = path_of(endpoint, "");
  bool changed = false;
  stores_.before_each_call([&](std::string_view call_name) {
    if (call_name != "secrets.rotate" || changed) return;
    changed = true;
    EndpointSettings settings = stores_.settings_of(EndpointId(endpoint.at("id")));
    settings.signing_profile = "standard";
    stores_.endpoints()->update(std::nullopt, EndpointId(endpoint.at("id")), settings,
                                std::nullopt);
  });
  const Answer answer =
      post(path_of(endpoint, "/secrets/rotate"), {{"secret", "fits-stripe-but-not-standard"}});
  expect_problem(answer, 422, "invalid_value");
}

}  // namespace
}  // namespace sealpost
