// Endpoints whose receivers are asked first: what the API takes, shows and refuses.
#include "base/bytes.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

class ValidationCallsTest : public ApiFixture {
 protected:
  static Json asks(const char* kind) { return {{"validation", {{"kind", kind}}}}; }

  static std::string path_of(const Json& endpoint, const std::string& rest = "") {
    return "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>() + rest;
  }

  Json offered(const std::string& secret) {
    const Json endpoint = make_endpoint(asks("cloudevents"));
    stores_.offer_callback(EndpointId(endpoint.at("id").get<std::string>()), secret);
    return endpoint;
  }

  void set_state(const Json& endpoint, ValidationState state, EndpointStatus status) {
    stores_.change(EndpointId(endpoint.at("id").get<std::string>()), [&](Endpoint& stored) {
      stored.validation.state = state;
      stored.status = status;
    });
  }

  const std::string secret_ = base64url_encode("0123456789abcdef");
  const std::string callback_ = "/v1/webhook-validations/" + secret_;
};

TEST_F(ValidationCallsTest, WithoutOneNothingIsAsked) {
  const Json endpoint = make_endpoint();
  EXPECT_EQ(endpoint.at("status"), "enabled");
  EXPECT_EQ(endpoint.at("validation"), Json({{"kind", "none"},
                                             {"state", "none"},
                                             {"reason", ""},
                                             {"asked_at", nullptr},
                                             {"allowed_per_minute", nullptr}}));
}

TEST_F(ValidationCallsTest, ANewEndpointIsPausedUntilConsent) {
  for (const char* kind : {"cloudevents", "challenge"}) {
    const Json endpoint = make_endpoint(asks(kind));
    EXPECT_EQ(endpoint.at("status"), "paused");
    EXPECT_NE(endpoint.at("status_reason"), "");
    EXPECT_EQ(endpoint.at("validation").at("kind"), kind);
    EXPECT_EQ(endpoint.at("validation").at("state"), "pending");
  }
}

TEST_F(ValidationCallsTest, ChangingUrlOrKindAsksAgainAndNothingElseDoes) {
  const Json endpoint = make_endpoint(asks("cloudevents"));
  set_state(endpoint, ValidationState::valid, EndpointStatus::enabled);
  EXPECT_EQ(patch(path_of(endpoint), {{"timeout_ms", 2000}}).json.at("status"), "enabled");
  EXPECT_EQ(patch(path_of(endpoint), asks("cloudevents")).json.at("status"), "enabled");
  const Json moved = patch(path_of(endpoint), {{"url", "https://b.example/"}}).json;
  EXPECT_EQ(moved.at("status"), "paused");
  EXPECT_EQ(moved.at("validation").at("state"), "pending");
  set_state(endpoint, ValidationState::valid, EndpointStatus::enabled);
  EXPECT_EQ(patch(path_of(endpoint), asks("challenge")).json.at("validation").at("state"),
            "pending");
  const Json ended = patch(path_of(endpoint), {{"validation", nullptr}}).json;
  EXPECT_EQ(ended.at("status"), "enabled");
  EXPECT_EQ(ended.at("validation").at("state"), "none");
}

TEST_F(ValidationCallsTest, ResumeAndEnableAskAgain) {
  const Json endpoint = make_endpoint(asks("challenge"));
  for (const char* verb : {"/resume", "/enable"}) {
    set_state(endpoint, ValidationState::refused, EndpointStatus::paused);
    const Answer answer = post(path_of(endpoint, verb), Json::object());
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.json.at("status"), "paused");
    EXPECT_EQ(answer.json.at("validation").at("state"), "pending");
  }
}

TEST_F(ValidationCallsTest, AnOperatorsPauseStopsTheQuestionUntilItIsResumed) {
  const Json endpoint = offered(secret_);
  const Json paused = post(path_of(endpoint, "/pause"), {{"reason", "mine"}}).json;
  EXPECT_EQ(paused.at("validation").at("state"), "unasked");
  expect_problem(call("GET", callback_, ""), 404, "not_found");
  EXPECT_EQ(get(path_of(endpoint)).json.at("status_reason"), "mine");
  EXPECT_EQ(post(path_of(endpoint, "/resume"), Json::object()).json.at("validation").at("state"),
            "pending");
}

TEST_F(ValidationCallsTest, RefusesWhatCannotBeAsked) {
  const std::pair<Json, std::string> refusals[] = {
      {{{"validation", 5}}, "validation"},
      {{{"validation", "challenge"}}, "validation"},
      {{{"validation", Json::object()}}, "validation.kind"},
      {{{"validation", {{"kind", "maybe"}}}}, "validation.kind"},
      {{{"validation", {{"kind", nullptr}}}}, "validation.kind"},
      {{{"validation", {{"kind", "none"}, {"stat", 1}}}}, "validation.stat"},
      {{{"validation", {{"kind", "none"}, {"state", "valid"}}}}, "validation.state"},
      {{{"validation", {{"kind", "none"}, {"allowed_per_minute", 5}}}},
       "validation.allowed_per_minute"},
      {{{"validation", {{"kind", "challenge"}}}, {"signing", {{"profile", "none"}}}},
       "validation.kind"},
      {{{"validation", {{"kind", "challenge"}}}, {"signing", {{"profile", "httpsig"}}}},
       "validation.kind"},
      {{{"validation", {{"kind", "challenge"}}}, {"signing", {{"profile", "sealed-json"}}}},
       "validation.kind"},
  };
  for (const auto& [members, param] : refusals) {
    const Answer answer = post("/v1/webhook-endpoints", endpoint_body(members));
    EXPECT_EQ(answer.status, 422) << members << answer.text;
    EXPECT_EQ(answer.json.value("param", ""), param) << answer.text;
  }
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data"), Json::array());
}

TEST_F(ValidationCallsTest, AProfileThatCannotAnswerTheChallengeIsRefusedLaterToo) {
  const Json endpoint = make_endpoint(asks("challenge"));
  const Answer answer = patch(path_of(endpoint), {{"signing", {{"profile", "none"}}}});
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.json.value("param", ""), "validation.kind");
}

TEST_F(ValidationCallsTest, TheCallbackConsentsOnceByGetOrPostWithoutAToken) {
  for (const char* method : {"GET", "POST"}) {
    const Json endpoint = offered(secret_);
    EXPECT_EQ(call(method, callback_, "").status, 200);
    const Json after = get(path_of(endpoint)).json;
    EXPECT_EQ(after.at("status"), "enabled");
    EXPECT_EQ(after.at("validation").at("state"), "valid");
    EXPECT_EQ(after.at("validation").at("allowed_per_minute"), nullptr);
    expect_problem(call(method, callback_, ""), 404, "not_found");
  }
}

TEST_F(ValidationCallsTest, TheCallbackMayAllowARate) {
  const Json endpoint = offered(secret_);
  for (const char* wrong : {"0", "-1", "fast", "1.5"}) {
    expect_problem(call("GET", callback_, "", "", {{"WebHook-Allowed-Rate", wrong}}), 400,
                   "invalid_value");
  }
  EXPECT_EQ(get(path_of(endpoint)).json.at("status"), "paused");
  EXPECT_EQ(call("POST", callback_, "", "", {{"WebHook-Allowed-Rate", "90"}}).status, 200);
  EXPECT_EQ(get(path_of(endpoint)).json.at("validation").at("allowed_per_minute"), 90);
}

TEST_F(ValidationCallsTest, WhoOnlyLooksOrGuessesConsentsToNothing) {
  const Json endpoint = offered(secret_);
  EXPECT_EQ(call("HEAD", callback_, "").status, 405);
  int statements = 0;
  stores_.before_each_call([&](std::string_view) { ++statements; });
  for (const std::string& guess : {std::string("x"), secret_ + "A", std::string(22, '!')}) {
    expect_problem(call("GET", "/v1/webhook-validations/" + guess, ""), 404, "not_found");
  }
  EXPECT_EQ(statements, 0) << "guesses of another form are cheap";
  expect_problem(call("GET", "/v1/webhook-validations/" + base64url_encode("0123456789abcdeX"), ""),
                 404, "not_found");
  stores_.before_each_call(nullptr);
  EXPECT_EQ(get(path_of(endpoint)).json.at("validation").at("state"), "pending");
}

}  // namespace
}  // namespace sealpost
