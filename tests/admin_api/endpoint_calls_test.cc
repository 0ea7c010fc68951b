// What the calls about endpoints do when they are allowed to.
#include <thread>

#include "base/bytes.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

using EndpointCallsTest = ApiFixture;

std::string path_of(const Json& endpoint, const std::string& rest = "") {
  return "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>() + rest;
}

TEST_F(EndpointCallsTest, CreatesAnEndpointFromUrlAndEventsAlone) {
  const Answer answer = post("/v1/webhook-endpoints", endpoint_body());
  ASSERT_EQ(answer.status, 201) << answer.text;
  const Json& json = answer.json;
  EXPECT_EQ(json.at("id").get<std::string>().substr(0, 3), "we_");
  EXPECT_EQ(answer.header("Location"), path_of(json));
  EXPECT_EQ(answer.header("ETag"), "\"v1\"");
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(json.at("tenant"), "default");
  EXPECT_EQ(json.at("status"), "enabled");
  EXPECT_EQ(json.at("signing"), Json({{"profile", "standard"}}));
  EXPECT_EQ(json.at("envelope"), "standard");
  EXPECT_EQ(json.at("retry"), Json({{"preset", "standard"}, {"max_attempts", 10}}));
  EXPECT_EQ(json.at("timeout_ms"), 15000);
  EXPECT_EQ(json.at("max_in_flight"), 64);
  EXPECT_EQ(json.at("rate_limit_per_second"), nullptr);
  EXPECT_EQ(json.at("ordering"), "none");
  EXPECT_EQ(json.at("headers"), Json::object());
  EXPECT_EQ(json.at("metadata"), Json::object());
  EXPECT_EQ(json.at("created_at"), "2026-05-27T09:00:00.000Z");
}

TEST_F(EndpointCallsTest, KeepsEverythingThatWasSet) {
  const Json endpoint = make_endpoint({
      {"tenant", "acme"},
      {"description", "payments\nsecond line, with ü"},
      {"signing", "stripe"},
      {"envelope", "raw"},
      {"retry",
       {{"delays_seconds", {1, 5, 30.5}},
        {"jitter", 0.2},
        {"end_on", {410, "4xx"}},
        {"retry_on", {408}},
        {"disable_endpoint_on_gone", true}}},
      {"timeout_ms", 1000},
      {"max_in_flight", 1000},
      {"rate_limit_per_second", 2.5},
      {"headers", {{"X-Api-Key", "k-123"}}},
      {"metadata", {{"team", "billing"}}},
      {"ordering", "fifo"},
      {"on_dead_letter", "continue"},
      {"encryption", nullptr},
  });
  EXPECT_EQ(endpoint.at("retry"), Json({{"delays_seconds", {1, 5, 30.5}},
                                        {"jitter", 0.2},
                                        {"end_on", {410, "4xx"}},
                                        {"retry_on", {408}},
                                        {"disable_endpoint_on_gone", true},
                                        {"max_attempts", 4}}));
  EXPECT_EQ(endpoint.at("headers"), Json({{"X-Api-Key", "***"}}));
  EXPECT_EQ(endpoint.at("signing").at("profile"), "stripe");

  const EndpointSettings stored = stores_.settings_of(EndpointId(endpoint.at("id")));
  EXPECT_EQ(stored.description, "payments\nsecond line, with ü");
  EXPECT_EQ(stored.envelope, Envelope::raw);
  EXPECT_EQ(stored.timeout, Milliseconds(1000));
  EXPECT_EQ(stored.max_in_flight, 1000);
  EXPECT_EQ(stored.rate_limit_per_second, 2.5);
  EXPECT_EQ(stored.ordering, Ordering::fifo);
  EXPECT_EQ(stored.on_dead_letter, OnDeadLetter::go_on);
  EXPECT_EQ(endpoint.at("ordering"), "fifo");
  EXPECT_EQ(endpoint.at("on_dead_letter"), "continue");
  EXPECT_EQ(endpoint.at("rate_limit_per_second"), 2.5);
  EXPECT_EQ(stored.retry.delays[2], Milliseconds(30'500));
  EXPECT_TRUE(stored.retry.end_on_4xx);
  EXPECT_EQ(stored.headers.at("X-Api-Key").reveal(), "k-123");
  EXPECT_EQ(stored.metadata.at("team"), "billing");
}

TEST_F(EndpointCallsTest, AProfileBringsItsEnvelopeAndScheduleUnlessTheyAreSet) {
  const Json brought = make_endpoint({{"signing", {{"profile", "itpay"}}}});
  EXPECT_EQ(brought.at("envelope"), "itpay");
  EXPECT_EQ(brought.at("retry").at("preset"), "itpay");
  const Json chosen = make_endpoint(
      {{"signing", "itpay"}, {"envelope", "raw"}, {"retry", {{"preset", "itpay-short"}}}});
  EXPECT_EQ(chosen.at("envelope"), "raw");
  EXPECT_EQ(chosen.at("retry").at("preset"), "itpay-short");
}

TEST_F(EndpointCallsTest, MakesASecretThatEveryProfileCanUse) {
  const std::string secret = make_endpoint().at("secret");
  ASSERT_EQ(secret.substr(0, 6), "whsec_");
  EXPECT_EQ(base64_decode(secret.substr(6)).value_or("").size(), 30U);
}

TEST_F(EndpointCallsTest, TakesOverASecretThatWasGiven) {
  const Json endpoint = make_endpoint({{"signing", "github"}, {"secret", "an-old-secret-of-ours"}});
  EXPECT_EQ(endpoint.at("secret"), "an-old-secret-of-ours");
  EXPECT_EQ(stores_.secret_of(EndpointId(endpoint.at("id"))), "an-old-secret-of-ours");
}

TEST_F(EndpointCallsTest, ShowsASecretOnceAndStaticHeadersNever) {
  const Json endpoint = make_endpoint({{"headers", {{"X-Api-Key", "canary-header-value"}}}});
  const std::string secret = endpoint.at("secret");
  const std::string header = "canary-header-value";
  EXPECT_EQ(endpoint.dump().find(header), std::string::npos);
  std::vector<Answer> later = {
      get("/v1/webhook-endpoints"),
      get(path_of(endpoint)),
      patch(path_of(endpoint), {{"description", "changed"}}),
      post(path_of(endpoint, "/disable"), Json::object()),
      post(path_of(endpoint, "/enable"), Json::object()),
      patch(path_of(endpoint), {{"secret", secret}}),
      patch(path_of(endpoint), {{"headers", {{"x-api-key", header}}}}),
      post("/v1/webhook-endpoints", endpoint_body({{"secret", secret}, {"timeout_ms", "x"}})),
      get("/metrics"),
      remove(path_of(endpoint)),
  };
  for (const Answer& answer : later) {
    EXPECT_EQ(answer.text.find(secret), std::string::npos) << answer.text;
    EXPECT_EQ(answer.text.find(header), std::string::npos) << answer.text;
    EXPECT_EQ(answer.text.find(secret.substr(6)), std::string::npos) << answer.text;
    EXPECT_FALSE(answer.json.is_object() && answer.json.contains("secret")) << answer.text;
  }
}

TEST_F(EndpointCallsTest, ListsNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.insert(ids.begin(), make_endpoint().at("id"));
  std::vector<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const Answer page = get("/v1/webhook-endpoints?limit=2" + cursor);
    ASSERT_EQ(page.status, 200) << page.text;
    ASSERT_LE(page.json.at("data").size(), 2U);
    for (const Json& item : page.json.at("data")) seen.push_back(item.at("id"));
    const Json& next = page.json.at("next_cursor");
    cursor = next.is_null() ? "" : "&cursor=" + next.get<std::string>();
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(seen, ids);
  EXPECT_EQ(pages, 3);
}

TEST_F(EndpointCallsTest, AnEmptyListHasNoCursor) {
  EXPECT_EQ(get("/v1/webhook-endpoints").json,
            Json({{"data", Json::array()}, {"next_cursor", nullptr}}));
}

TEST_F(EndpointCallsTest, ChangesOnlyWhatIsNamed) {
  const Json before = make_endpoint({{"description", "old"},
                                     {"metadata", {{"a", "1"}, {"b", "2"}}},
                                     {"headers", {{"X-One", "1"}, {"X-Two", "2"}}}});
  const Answer answer =
      patch(path_of(before), {{"timeout_ms", 20000},
                              {"metadata", {{"a", nullptr}, {"c", "3"}}},
                              {"headers", {{"X-One", nullptr}, {"X-Two", "***"}}}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.header("ETag"), "\"v2\"");
  Json expected = before;
  expected.erase("secret");
  expected["timeout_ms"] = 20000;
  expected["metadata"] = {{"b", "2"}, {"c", "3"}};
  expected["headers"] = {{"X-Two", "***"}};
  EXPECT_EQ(answer.json, expected);
  const EndpointSettings stored = stores_.settings_of(EndpointId(before.at("id")));
  EXPECT_EQ(stored.headers.at("X-Two").reveal(), "2") << "*** means: as it is";
}

TEST_F(EndpointCallsTest, NullGoesBackToTheDefault) {
  const Json before = make_endpoint({{"description", "old"},
                                     {"signing", "itpay"},
                                     {"envelope", "raw"},
                                     {"timeout_ms", 20000},
                                     {"metadata", {{"a", "1"}}},
                                     {"headers", {{"X-One", "1"}}}});
  const Answer answer = patch(path_of(before), {{"description", nullptr},
                                                {"envelope", nullptr},
                                                {"retry", nullptr},
                                                {"timeout_ms", nullptr},
                                                {"metadata", nullptr},
                                                {"headers", nullptr}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json.at("description"), "");
  EXPECT_EQ(answer.json.at("envelope"), "itpay");
  EXPECT_EQ(answer.json.at("retry").at("preset"), "itpay");
  EXPECT_EQ(answer.json.at("timeout_ms"), 15000);
  EXPECT_EQ(answer.json.at("metadata"), Json::object());
  EXPECT_EQ(answer.json.at("headers"), Json::object());
}

TEST_F(EndpointCallsTest, ARetryPolicyMayBeSentBackAsItWasRead) {
  for (const Json& retry :
       {Json({{"preset", "itpay"}}), Json({{"delays_seconds", {0.001, 604800}}})}) {
    const Json endpoint = make_endpoint({{"retry", retry}});
    const Answer answer = patch(path_of(endpoint), {{"retry", endpoint.at("retry")}});
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.json.at("retry"), endpoint.at("retry"));
  }
}

TEST_F(EndpointCallsTest, RefusesAChangeUnderAnOldVersion) {
  const Json endpoint = make_endpoint();
  ASSERT_EQ(patch(path_of(endpoint), {{"timeout_ms", 2000}}).status, 200);
  const Answer stale = call("PATCH", path_of(endpoint), operator_, R"({"timeout_ms": 3000})",
                            {{"If-Match", "\"v1\""}});
  expect_problem(stale, 412, "version_mismatch");
  EXPECT_EQ(stale.header("ETag"), "\"v2\"");
  expect_problem(call("DELETE", path_of(endpoint), operator_, "", {{"If-Match", "W/\"v2\""}}), 412,
                 "version_mismatch");
  EXPECT_EQ(get(path_of(endpoint)).json.at("timeout_ms"), 2000);

  EXPECT_EQ(call("PATCH", path_of(endpoint), operator_, R"({"timeout_ms": 3000})",
                 {{"If-Match", "\"v1\" , \"v2\""}})
                .status,
            200);
  EXPECT_EQ(call("DELETE", path_of(endpoint), operator_, "", {{"If-Match", "*"}}).status, 204);
}

TEST_F(EndpointCallsTest, MergesAChangeAgainIfAnotherOneCameInBetween) {
  const Json endpoint = make_endpoint();
  const EndpointId id(endpoint.at("id").get<std::string>());
  bool meddled = false;
  stores_.before_each_call([&](std::string_view name) {
    if (name != "endpoints.update" || std::exchange(meddled, true)) return;
    EndpointSettings settings = stores_.settings_of(id);
    settings.description = "by another call";
    stores_.endpoints()->update(std::nullopt, id, settings, std::nullopt);
  });
  const Answer answer = patch(path_of(endpoint), {{"timeout_ms", 2000}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json.at("description"), "by another call");
  EXPECT_EQ(answer.json.at("timeout_ms"), 2000);
  EXPECT_EQ(answer.header("ETag"), "\"v3\"");
}

TEST_F(EndpointCallsTest, GivesUpIfOthersAreFasterEveryTime) {
  const Json endpoint = make_endpoint();
  const EndpointId id(endpoint.at("id").get<std::string>());
  thread_local bool meddling = false;
  stores_.before_each_call([&](std::string_view name) {
    if (name != "endpoints.update" || std::exchange(meddling, true)) return;
    stores_.endpoints()->update(std::nullopt, id, stores_.settings_of(id), std::nullopt);
    meddling = false;
  });
  const Answer answer = patch(path_of(endpoint), {{"timeout_ms", 2000}});
  expect_problem(answer, 409, "conflict");
  EXPECT_EQ(get(path_of(endpoint)).json.at("timeout_ms"), 15000);
}

TEST_F(EndpointCallsTest, ADeletedEndpointIsGoneForEveryCall) {
  const Json endpoint = make_endpoint();
  const Answer answer = remove(path_of(endpoint));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(answer.headers.count("Content-Length"), 0U);
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data"), Json::array());
  expect_problem(get(path_of(endpoint)), 404, "not_found");
  expect_problem(patch(path_of(endpoint), {{"timeout_ms", 2000}}), 404, "not_found");
  expect_problem(post(path_of(endpoint, "/enable"), Json::object()), 404, "not_found");
  expect_problem(remove(path_of(endpoint)), 404, "not_found");
}

TEST_F(EndpointCallsTest, MovesBetweenItsStates) {
  const Json endpoint = make_endpoint();
  const auto expect_status = [&](const std::string& verb, const std::string& status) {
    const Answer answer = post(path_of(endpoint, "/" + verb), {{"reason", "because of " + verb}});
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.json.at("status"), status);
    EXPECT_EQ(answer.json.at("status_reason"), "because of " + verb);
    EXPECT_EQ(answer.header("ETag").empty(), false);
  };
  expect_status("pause", "paused");
  expect_status("resume", "enabled");
  expect_status("disable", "disabled");
  expect_problem(post(path_of(endpoint, "/pause"), Json::object()), 409,
                 "webhook_endpoint_disabled");
  expect_problem(post(path_of(endpoint, "/resume"), Json::object()), 409,
                 "webhook_endpoint_disabled");
  expect_status("enable", "enabled");
}

TEST_F(EndpointCallsTest, AStatusCallNeedsNoBody) {
  const Json endpoint = make_endpoint();
  const Answer answer = call("POST", path_of(endpoint, "/disable"), operator_);
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json.at("status"), "disabled");
  EXPECT_EQ(answer.json.at("status_reason"), "");
  expect_problem(post(path_of(endpoint, "/disable"), {{"cause", "x"}}), 422, "unknown_field");
  expect_problem(post(path_of(endpoint, "/disable"), {{"reason", 5}}), 422, "wrong_type");
  expect_problem(post(path_of(endpoint, "/disable"), {{"reason", "a\nb"}}), 422, "invalid_value");
}

TEST_F(EndpointCallsTest, SettingTheSameStatusAgainChangesNothing) {
  const Json endpoint = make_endpoint();
  const Answer answer = post(path_of(endpoint, "/enable"), Json::object());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("ETag"), "\"v1\"");
}

TEST_F(EndpointCallsTest, AnswersManyCallsAtOnceWithOneStorePerCall) {
  std::vector<std::thread> threads;
  std::atomic<int> created{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        created += post("/v1/webhook-endpoints", endpoint_body()).status == 201 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, 160);
  // Six were made for the tokens of the fixture; four threads need an endpoint and a token store
  // each.
  EXPECT_LE(stores_.stores_made(), 6 + 4 * 2);
}

}  // namespace
}  // namespace sealpost
