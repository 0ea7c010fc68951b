// Every way in which a body for an endpoint can be wrong: code and param, nothing changed.
#include <cctype>
#include <ostream>
#include <set>

#include "tests/admin_api/api_fixture.h"
#include "tests/admin_api/refusal.h"

namespace sealpost {
namespace {

Json numbered_entries(std::size_t count) {
  Json object = Json::object();
  for (std::size_t i = 0; i < count; ++i) object["X-" + std::to_string(i)] = "1";
  return object;
}

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> list = {
      {"url of a wrong type", {{"url", 5}}, "wrong_type", "url"},
      {"url null", {{"url", nullptr}}, "required", "url"},
      {"url empty", {{"url", ""}}, "too_short", "url"},
      {"url over-long",
       {{"url", "https://a.example/" + std::string(2048, 'a')}},
       "too_long",
       "url"},
      {"url of plain http", {{"url", "http://merchant.example.com/"}}, "url_not_allowed", "url"},
      {"url of another scheme", {{"url", "file:///etc/passwd"}}, "url_not_allowed", "url"},
      {"url with user name", {{"url", "https://me@a.example/"}}, "url_not_allowed", "url"},
      {"url with fragment", {{"url", "https://a.example/#x"}}, "url_not_allowed", "url"},
      {"url of localhost", {{"url", "https://localhost/"}}, "url_not_allowed", "url"},
      {"url of a loopback address", {{"url", "https://127.0.0.1/"}}, "url_not_allowed", "url"},
      {"url of a private address", {{"url", "https://10.0.0.1/"}}, "url_not_allowed", "url"},
      {"url of a decimal address", {{"url", "https://2130706433/"}}, "url_not_allowed", "url"},
      {"url of the metadata address",
       {{"url", "https://169.254.169.254/"}},
       "url_not_allowed",
       "url"},
      {"url of an IPv6 address", {{"url", "https://[::1]/"}}, "url_not_allowed", "url"},
      {"url of a reserved name", {{"url", "https://db.internal/"}}, "url_not_allowed", "url"},
      {"url of a mail port", {{"url", "https://a.example:25/"}}, "url_not_allowed", "url"},
      {"url with a line break", {{"url", "https://a.example/\r\nX: y"}}, "invalid_value", "url"},
      {"events null", {{"enabled_events", nullptr}}, "required", "enabled_events"},
      {"events no array", {{"enabled_events", "*"}}, "wrong_type", "enabled_events"},
      {"events empty", {{"enabled_events", Json::array()}}, "out_of_range", "enabled_events"},
      {"events too many",
       {{"enabled_events", std::vector<std::string>(101, "a")}},
       "out_of_range",
       "enabled_events"},
      {"event of a wrong type", {{"enabled_events", {"a", 5}}}, "wrong_type", "enabled_events[1]"},
      {"event malformed", {{"enabled_events", {"a..b"}}}, "invalid_value", "enabled_events[0]"},
      {"event wildcard in the middle",
       {{"enabled_events", {"a.*.b"}}},
       "invalid_value",
       "enabled_events[0]"},
      {"event reserved wildcard",
       {{"enabled_events", {"webhook.*"}}},
       "invalid_value",
       "enabled_events[0]"},
      {"event twice", {{"enabled_events", {"a", "a"}}}, "duplicate", "enabled_events[1]"},
      {"event over-long",
       {{"enabled_events", {std::string(129, 'a')}}},
       "too_long",
       "enabled_events[0]"},
      {"tenant malformed", {{"tenant", "a b"}}, "invalid_value", "tenant"},
      {"tenant empty", {{"tenant", ""}}, "too_short", "tenant"},
      {"tenant over-long", {{"tenant", std::string(129, 'a')}}, "too_long", "tenant"},
      {"description over-long",
       {{"description", std::string(1001, 'a')}},
       "too_long",
       "description"},
      {"description with NUL",
       {{"description", std::string("a\0b", 3)}},
       "invalid_value",
       "description"},
      {"profile unknown", {{"signing", "acme"}}, "invalid_value", "signing"},
      {"profile unknown in an object",
       {{"signing", {{"profile", "acme"}}}},
       "invalid_value",
       "signing.profile"},
      {"profile missing", {{"signing", Json::object()}}, "required", "signing.profile"},
      {"profile of a wrong type", {{"signing", 5}}, "wrong_type", "signing"},
      {"profile with a field of an own one",
       {{"signing", {{"profile", "standard"}, {"content", "{body}"}}}},
       "unknown_field",
       "signing.content"},
      {"profile with a misspelled member",
       {{"signing", {{"profile", "standard"}, {"profil", 1}}}},
       "unknown_field",
       "signing.profil"},
      {"envelope unknown", {{"envelope", "xml"}}, "invalid_value", "envelope"},
      {"retry no object", {{"retry", "standard"}}, "wrong_type", "retry"},
      {"retry empty", {{"retry", Json::object()}}, "required", "retry"},
      {"retry preset unknown",
       {{"retry", {{"preset", "hourly"}}}},
       "invalid_value",
       "retry.preset"},
      {"retry preset and delays",
       {{"retry", {{"preset", "itpay"}, {"delays_seconds", {1}}}}},
       "invalid_value",
       "retry.delays_seconds"},
      {"retry preset and jitter",
       {{"retry", {{"preset", "itpay"}, {"jitter", 0.1}}}},
       "invalid_value",
       "retry.jitter"},
      {"retry delay zero",
       {{"retry", {{"delays_seconds", {1, 0}}}}},
       "out_of_range",
       "retry.delays_seconds[1]"},
      {"retry delay negative",
       {{"retry", {{"delays_seconds", {-1}}}}},
       "out_of_range",
       "retry.delays_seconds[0]"},
      {"retry delay too long",
       {{"retry", {{"delays_seconds", {604801}}}}},
       "out_of_range",
       "retry.delays_seconds[0]"},
      {"retry delay of a wrong type",
       {{"retry", {{"delays_seconds", {"1"}}}}},
       "wrong_type",
       "retry.delays_seconds[0]"},
      {"retry delays too many",
       {{"retry", {{"delays_seconds", std::vector<int>(51, 1)}}}},
       "out_of_range",
       "retry.delays_seconds"},
      {"retry jitter over 1",
       {{"retry", {{"delays_seconds", {1}}, {"jitter", 1.5}}}},
       "out_of_range",
       "retry.jitter"},
      {"retry end_on a success",
       {{"retry", {{"delays_seconds", {1}}, {"end_on", {200}}}}},
       "out_of_range",
       "retry.end_on[0]"},
      {"retry end_on another word",
       {{"retry", {{"delays_seconds", {1}}, {"end_on", {"5xx"}}}}},
       "invalid_value",
       "retry.end_on[0]"},
      {"retry the same code both ways",
       {{"retry", {{"delays_seconds", {1}}, {"end_on", {410}}, {"retry_on", {410}}}}},
       "invalid_value",
       "retry.retry_on"},
      {"retry attempts chosen",
       {{"retry", {{"delays_seconds", {1}}, {"max_attempts", 5}}}},
       "invalid_value",
       "retry.max_attempts"},
      {"retry misspelled",
       {{"retry", {{"delays_seconds", {1}}, {"jiter", 0.2}}}},
       "unknown_field",
       "retry.jiter"},
      {"timeout too short", {{"timeout_ms", 999}}, "out_of_range", "timeout_ms"},
      {"timeout too long", {{"timeout_ms", 60001}}, "out_of_range", "timeout_ms"},
      {"timeout with a fraction", {{"timeout_ms", 1500.5}}, "wrong_type", "timeout_ms"},
      {"timeout as text", {{"timeout_ms", "15000"}}, "wrong_type", "timeout_ms"},
      {"timeout beyond all integers",
       {{"timeout_ms", 18446744073709551615ULL}},
       "wrong_type",
       "timeout_ms"},
      {"in flight none", {{"max_in_flight", 0}}, "out_of_range", "max_in_flight"},
      {"in flight too many", {{"max_in_flight", 1001}}, "out_of_range", "max_in_flight"},
      {"no requests at all",
       {{"rate_limit_per_second", 0}},
       "out_of_range",
       "rate_limit_per_second"},
      {"rate limit below zero",
       {{"rate_limit_per_second", -1}},
       "out_of_range",
       "rate_limit_per_second"},
      {"rate limit too high",
       {{"rate_limit_per_second", 100001}},
       "out_of_range",
       "rate_limit_per_second"},
      {"rate limit as text",
       {{"rate_limit_per_second", "10"}},
       "wrong_type",
       "rate_limit_per_second"},
      {"headers no object", {{"headers", Json::array()}}, "wrong_type", "headers"},
      {"header value of a wrong type", {{"headers", {{"X-A", 5}}}}, "wrong_type", "headers.X-A"},
      {"header value with CR LF",
       {{"headers", {{"X-A", "1\r\nX-Evil: 2"}}}},
       "header_not_allowed",
       "headers.X-A"},
      {"header value with LF",
       {{"headers", {{"X-A", "1\nX-Evil: 2"}}}},
       "header_not_allowed",
       "headers.X-A"},
      {"header value with NUL",
       {{"headers", {{"X-A", std::string("1\0002", 3)}}}},
       "header_not_allowed",
       "headers.X-A"},
      {"header name with a colon",
       {{"headers", {{"X-A: 1\r\nX", "1"}}}},
       "header_not_allowed",
       "headers.X-A: 1\r\nX"},
      {"header name with a space",
       {{"headers", {{"X A", "1"}}}},
       "header_not_allowed",
       "headers.X A"},
      {"header value over-long",
       {{"headers", {{"X-A", std::string(4097, 'a')}}}},
       "header_not_allowed",
       "headers.X-A"},
      {"header of HTTP itself",
       {{"headers", {{"Content-Length", "5"}}}},
       "header_not_allowed",
       "headers.Content-Length"},
      {"header of the sender",
       {{"headers", {{"Webhook-Id", "5"}}}},
       "header_not_allowed",
       "headers.Webhook-Id"},
      {"header of the profile",
       {{"signing", "stripe"}, {"headers", {{"stripe-signature", "x"}}}},
       "header_not_allowed",
       "headers.stripe-signature"},
      {"header twice but for case",
       {{"headers", {{"X-A", "1"}, {"x-a", "2"}}}},
       "duplicate",
       "headers.x-a"},
      {"header value hidden", {{"headers", {{"X-A", "***"}}}}, "invalid_value", "headers.X-A"},
      {"headers too many", {{"headers", numbered_entries(33)}}, "out_of_range", "headers"},
      {"headers absurdly many", {{"headers", numbered_entries(65)}}, "too_long", "headers"},
      {"metadata no object", {{"metadata", "x"}}, "wrong_type", "metadata"},
      {"metadata value of a wrong type", {{"metadata", {{"a", 1}}}}, "wrong_type", "metadata.a"},
      {"metadata value over-long",
       {{"metadata", {{"a", std::string(501, 'a')}}}},
       "too_long",
       "metadata.a"},
      {"metadata without a key", {{"metadata", {{"", "a"}}}}, "invalid_value", "metadata."},
      {"metadata too much", {{"metadata", numbered_entries(51)}}, "out_of_range", "metadata"},
      {"secret too short",
       {{"signing", "github"}, {"secret", "fifteen-bytes.."}},
       "too_short",
       "secret"},
      {"secret over-long",
       {{"signing", "github"}, {"secret", std::string(257, 'a')}},
       "too_long",
       "secret"},
      {"secret with a space",
       {{"signing", "github"}, {"secret", "sixteen bytes and"}},
       "invalid_value",
       "secret"},
      {"secret without prefix",
       {{"secret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
       "invalid_value",
       "secret"},
      {"secret not base64", {{"secret", "whsec_not-base-64-at-all!"}}, "invalid_value", "secret"},
      {"secret of 23 bytes",
       {{"secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
       "invalid_value",
       "secret"},
      {"ordering", {{"ordering", "lifo"}}, "invalid_value", "ordering"},
      {"ordering as a flag", {{"ordering", true}}, "wrong_type", "ordering"},
      {"on_dead_letter", {{"on_dead_letter", "skip"}}, "invalid_value", "on_dead_letter"},
      {"tls", {{"tls", {{"min_version", "1.3"}}}}, "not_supported_yet", "tls"},
      {"auto_disable", {{"auto_disable", true}}, "not_supported_yet", "auto_disable"},
      {"id", {{"id", "we_1"}}, "read_only", "id"},
      {"status", {{"status", "disabled"}}, "read_only", "status"},
      {"created_at", {{"created_at", "2026-05-27T09:00:00Z"}}, "read_only", "created_at"},
      {"a misspelled field", {{"max_inflight", 5}}, "unknown_field", "max_inflight"},
  };
  return list;
}

// Those of a PATCH: tenant and secret are not of them at all (see below).
std::vector<Refusal> change_refusals() {
  std::vector<Refusal> list = refusals();
  std::erase_if(list, [](const Refusal& refusal) {
    return refusal.members.contains("secret") || refusal.members.contains("tenant");
  });
  return list;
}

class EndpointRefusalTest : public ApiFixture, public testing::WithParamInterface<Refusal> {};

TEST_P(EndpointRefusalTest, NamesTheFieldAndCreatesNothing) {
  const Answer answer = post("/v1/webhook-endpoints", endpoint_body(GetParam().members));
  expect_problem(answer, 422, GetParam().code);
  EXPECT_EQ(answer.json.value("param", ""), GetParam().param);
  ASSERT_EQ(answer.json.at("errors").size(), 1U) << answer.text;
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data"), Json::array());
}

INSTANTIATE_TEST_SUITE_P(Create, EndpointRefusalTest, testing::ValuesIn(refusals()), test_name);

class EndpointChangeRefusalTest : public ApiFixture, public testing::WithParamInterface<Refusal> {};

TEST_P(EndpointChangeRefusalTest, NamesTheFieldAndChangesNothing) {
  const Json& members = GetParam().members;
  const Json endpoint =
      make_endpoint(members.contains("signing") && members.at("signing") == "stripe"
                        ? Json({{"signing", "stripe"}})
                        : Json::object());
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  const Answer before = get(path);
  const Answer answer = patch(path, members);
  expect_problem(answer, 422, GetParam().code);
  EXPECT_EQ(answer.json.value("param", ""), GetParam().param);
  EXPECT_EQ(get(path).text, before.text);
}

INSTANTIATE_TEST_SUITE_P(Change, EndpointChangeRefusalTest, testing::ValuesIn(change_refusals()),
                         test_name);

using EndpointBodyTest = ApiFixture;

TEST_F(EndpointBodyTest, ReportsAllMistakesAtOnce) {
  const Answer answer = call("POST", "/v1/webhook-endpoints", operator_, R"({
      "url": "http://localhost/", "enabled_events": ["a", "b..c"], "timeout_ms": 5, "colour": "red",
      "retry": {"delays_seconds": [0], "jitter": 2}, "headers": {"Host": "x"}, "timeout_ms": 6})");
  expect_problem(answer, 422, "validation_failed");
  std::set<std::string> params;
  for (const Json& error : answer.json.at("errors")) params.insert(error.at("param"));
  EXPECT_EQ(params,
            (std::set<std::string>{"url", "enabled_events[1]", "timeout_ms", "colour",
                                   "retry.delays_seconds[0]", "retry.jitter", "headers.Host"}));
}

TEST_F(EndpointBodyTest, MissingFieldsAreNamedOneByOne) {
  const Answer answer = call("POST", "/v1/webhook-endpoints", operator_, "{}");
  expect_problem(answer, 422, "required");
  EXPECT_EQ(answer.json.at("errors").size(), 2U);
}

TEST_F(EndpointBodyTest, DuplicateKeysAreRefusedWithTheirPath) {
  const auto expect_duplicate = [&](const std::string& body, const std::string& param) {
    const Answer answer = call("POST", "/v1/webhook-endpoints", operator_, body);
    expect_problem(answer, 422, "duplicate_key");
    EXPECT_EQ(answer.json.value("param", ""), param);
  };
  expect_duplicate(
      R"({"url": "https://a.example/", "enabled_events": ["a"], "url": "https://b.example/"})",
      "url");
  expect_duplicate(
      R"({"url": "https://a.example/", "enabled_events": ["a"],
          "headers": {"X-A": "1", "X-A": "2"}})",
      "headers.X-A");
  // The same key in the spelling of an escape.
  expect_duplicate(
      R"({"url": "https://a.example/", "enabled_events": ["a"],
          "metadata": {"a": "1", "\u0061": "2"}})",
      "metadata.a");
}

TEST_F(EndpointBodyTest, BodiesThatAreNoObjectAreRefused) {
  for (const char* body : {"[]", "5", "\"text\"", "null", "true"}) {
    expect_problem(call("POST", "/v1/webhook-endpoints", operator_, body), 422, "wrong_type");
  }
}

TEST_F(EndpointBodyTest, BrokenJsonIsRefusedWithItsPositionAndWithoutItsText) {
  const Answer answer = call("POST", "/v1/webhook-endpoints", operator_,
                             "{\"url\": \"https://a.example/\",\n \"secret\": \"canary-secret");
  expect_problem(answer, 400, "invalid_json");
  EXPECT_NE(answer.json.value("detail", "").find("line 2, column"), std::string::npos)
      << answer.text;
  EXPECT_EQ(answer.text.find("canary"), std::string::npos);
  expect_problem(call("POST", "/v1/webhook-endpoints", operator_, "{\"a\": \"\xff\"}"), 400,
                 "invalid_json");
  expect_problem(call("POST", "/v1/webhook-endpoints", operator_, "{} {}"), 400, "invalid_json");
  expect_problem(
      call("POST", "/v1/webhook-endpoints", operator_, "", {{"Content-Type", "application/json"}}),
      400, "invalid_json");
}

TEST_F(EndpointBodyTest, DeepNestingIsRefusedBeforeItCostsStack) {
  const std::string deep(1 << 20, '[');
  expect_problem(call("POST", "/v1/webhook-endpoints", operator_, deep), 400, "invalid_json");
  const std::string objects = "{\"a\":";
  std::string nested;
  for (int i = 0; i < 33; ++i) nested += objects;
  expect_problem(call("POST", "/v1/webhook-endpoints", operator_, nested), 400, "invalid_json");
}

TEST_F(EndpointBodyTest, ChangesOfTenantAndSecretAreRefused) {
  const Json endpoint = make_endpoint();
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  const Answer answer = patch(path, {{"tenant", "acme"}, {"secret", endpoint.at("secret")}});
  expect_problem(answer, 422, "read_only");
  EXPECT_EQ(answer.json.at("errors").size(), 2U);
}

TEST_F(EndpointBodyTest, AProfileThatTheSecretMayNotFitIsRefused) {
  const Json endpoint = make_endpoint({{"signing", "github"}, {"secret", "an-old-secret-of-ours"}});
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
  const Answer refused = patch(path, {{"signing", "standard"}});
  expect_problem(refused, 422, "invalid_value");
  EXPECT_EQ(refused.json.value("param", ""), "signing");
  const Answer changed = patch(path, {{"signing", "stripe"}});
  EXPECT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.json.at("signing").at("profile"), "stripe");
  EXPECT_EQ(changed.json.at("envelope"), endpoint.at("envelope"))
      << "a change changes what it names";
}

}  // namespace
}  // namespace sealpost
