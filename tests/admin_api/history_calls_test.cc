// Events, deliveries and dead letters as operators see them.
#include "base/bytes.h"
#include "base/ulid.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

using HistoryCallsTest = ApiFixture;

std::vector<std::string> ids_of(const Answer& list) {
  std::vector<std::string> ids;
  for (const Json& item : list.json.at("data")) ids.push_back(item.at("id"));
  return ids;
}

TEST_F(HistoryCallsTest, ShowsAnEventWithItsPayloadByteForByteAndItsDeliveries) {
  const DeliveryRecord delivery =
      add_delivery("acme", "we_01KAN8Q4Y0ZV3M7K9T2B5C8DXF", DeliveryState::delivered);
  const Answer answer = get("/v1/events/" + delivery.event_id.text());
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.json.at("type"), "invoice.paid");
  EXPECT_EQ(answer.json.at("tenant"), "acme");
  EXPECT_EQ(answer.json.at("payload_encoding"), "json");
  EXPECT_EQ(answer.json.at("ordering_key"), nullptr);
  EXPECT_NE(answer.text.find(R"("payload":{"amount":  50000, "amount": 1.0e2}})"),
            std::string::npos)
      << answer.text;
  EXPECT_EQ(answer.json.at("deliveries"),
            Json::array({{{"id", delivery.id.text()},
                          {"endpoint_id", delivery.endpoint_id.text()},
                          {"state", "delivered"}}}));
}

TEST_F(HistoryCallsTest, ShowsABinaryPayloadAsBase64) {
  Event event;
  event.id = EventId(new_ulid("evt_", clock_.wall_now(), random_));
  event.tenant = "acme";
  event.type = "scan.done";
  event.payload = std::string("\x00\xff\x10", 3);
  event.payload_is_json = false;
  event.content_type = "application/x-protobuf";
  stores_.add_event(event);
  const Answer answer = get("/v1/events/" + event.id.text());
  EXPECT_EQ(answer.json.at("payload_encoding"), "base64");
  EXPECT_EQ(answer.json.at("payload"), base64_encode(event.payload));
  EXPECT_EQ(answer.json.at("content_type"), "application/x-protobuf");
}

TEST_F(HistoryCallsTest, ListsEventsNewestFirstWithoutPayloads) {
  const DeliveryRecord first = add_delivery("acme", "we_1", DeliveryState::pending);
  const DeliveryRecord second = add_delivery("acme", "we_1", DeliveryState::pending);
  const Answer answer = get("/v1/events");
  EXPECT_EQ(ids_of(answer),
            (std::vector<std::string>{second.event_id.text(), first.event_id.text()}));
  EXPECT_EQ(answer.text.find("payload"), std::string::npos);
}

TEST_F(HistoryCallsTest, FiltersDeliveries) {
  const std::string one = make_endpoint().at("id");
  const std::string two = make_endpoint().at("id");
  const auto a = add_delivery("acme", one, DeliveryState::pending, "invoice.paid");
  const auto b = add_delivery("acme", two, DeliveryState::delivered, "invoice.paid");
  const auto c = add_delivery("acme", one, DeliveryState::delivered, "invoice.sent");
  const auto expect_list = [&](const std::string& query, std::vector<DeliveryRecord> wanted) {
    std::vector<std::string> ids;
    for (const DeliveryRecord& delivery : wanted) ids.push_back(delivery.id.text());
    const Answer answer = get("/v1/deliveries" + query);
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(ids_of(answer), ids) << query;
  };
  expect_list("", {c, b, a});
  expect_list("?endpoint_id=" + one, {c, a});
  expect_list("?event_id=" + b.event_id.text(), {b});
  expect_list("?type=invoice.paid", {b, a});
  expect_list("?state=delivered", {c, b});
  expect_list("?state=delivered&endpoint_id=" + one, {c});
  expect_list("?created_after=" + to_rfc3339(a.created_at), {c, b});
  expect_list("?created_before=" + to_rfc3339(c.created_at), {b, a});
  expect_list("?limit=1", {c});
  expect_list("?limit=1&cursor=" + c.id.text(), {b});
}

TEST_F(HistoryCallsTest, ShowsADeliveryWithEveryDetailOfItsAttempts) {
  const DeliveryRecord delivery = add_dead_letter("acme", "we_01KAN8Q4Y0ZV3M7K9T2B5C8DXF");
  const Answer answer = get("/v1/deliveries/" + delivery.id.text());
  ASSERT_EQ(answer.status, 200) << answer.text;
  const Json expected = {
      {"id", delivery.id.text()},
      {"event_id", delivery.event_id.text()},
      {"endpoint_id", delivery.endpoint_id.text()},
      {"tenant", "acme"},
      {"type", "invoice.paid"},
      {"state", "failed"},
      {"reason", "rejected"},
      {"generation", 1},
      {"attempt_count", 1},
      {"last_status_code", 400},
      {"next_attempt_at", nullptr},
      {"created_at", "2026-05-27T09:00:01.000Z"},
      {"finished_at", "2026-05-27T09:00:01.000Z"},
      {"response_payload", nullptr},
      {"response_payload_encoding", nullptr},
      {"attempts",
       Json::array(
           {{{"number", 1},
             {"generation", 1},
             {"started_at", "2026-05-27T09:00:01.000Z"},
             {"duration_ms", 1.5},
             {"phases_ms",
              {{"dns", nullptr}, {"connect", nullptr}, {"tls", nullptr}, {"first_byte", 1.25}}},
             {"status_code", 400},
             {"error", nullptr},
             {"error_detail", nullptr},
             {"remote_address", "203.0.113.7:443"},
             {"response_body", "no"},
             {"response_body_encoding", "utf8"},
             {"response_truncated", false},
             {"signing_key_ids", {"0123456789abcdef", "fedcba9876543210"}},
             {"receiver_error_code", nullptr},
             {"response_decrypt_failed", nullptr},
             {"orphaned", false}}})},
  };
  EXPECT_EQ(answer.json, expected);
}

TEST_F(HistoryCallsTest, ShowsAResponseThatIsNoTextAsBase64) {
  const DeliveryRecord delivery = add_delivery("acme", "we_1", DeliveryState::pending);
  AttemptRecord attempt;
  attempt.outcome.response_body = "caf\xe9";
  attempt.outcome.response_truncated = true;
  attempt.outcome.error = AttemptError::connection_lost;
  attempt.outcome.error_detail = "reset";
  attempt.outcome.receiver_error_code = ReceiverErrorCode::webhook_decryption_failed;
  attempt.outcome.response_decrypt_failed = ResponseProblem::wrong_nonce;
  attempt.orphaned = true;
  stores_.add_delivery(delivery, {attempt});
  const Json shown = get("/v1/deliveries/" + delivery.id.text()).json.at("attempts")[0];
  EXPECT_EQ(shown.at("response_body"), base64_encode("caf\xe9"));
  EXPECT_EQ(shown.at("response_body_encoding"), "base64");
  EXPECT_EQ(shown.at("response_truncated"), true);
  EXPECT_EQ(shown.at("error"), "connection_lost");
  EXPECT_EQ(shown.at("receiver_error_code"), "webhook_decryption_failed");
  EXPECT_EQ(shown.at("response_decrypt_failed"), "wrong_nonce");
  EXPECT_EQ(shown.at("orphaned"), true);
  EXPECT_EQ(shown.at("signing_key_ids"), Json::array());
}

TEST_F(HistoryCallsTest, ShowsWhatTheReceiverAnsweredEncrypted) {
  const struct {
    std::optional<SecretText> text;
    Json shown, encoding;
  } cases[] = {{SecretText(R"({"ok":"\u00e4"})"), R"({"ok":"\u00e4"})", "utf8"},
               {SecretText("caf\xe9"), base64_encode("caf\xe9"), "base64"},
               {SecretText(""), "", "utf8"},
               {std::nullopt, nullptr, "unreadable"}};
  for (const auto& [text, shown, encoding] : cases) {
    const DeliveryRecord delivery = add_delivery("acme", "we_1", DeliveryState::delivered);
    stores_.add_response_payload(delivery.id, {text});
    const Answer answer = get("/v1/deliveries/" + delivery.id.text());
    ASSERT_EQ(answer.status, 200) << answer.text;
    EXPECT_EQ(answer.json.at("response_payload"), shown);
    EXPECT_EQ(answer.json.at("response_payload_encoding"), encoding);
  }
}

TEST_F(HistoryCallsTest, AnEncryptedAnswerIsSeenByItsTenantOnlyAndInNoList) {
  const DeliveryRecord delivery = add_delivery("acme", "we_1", DeliveryState::delivered);
  stores_.add_response_payload(delivery.id, {SecretText("for acme")});
  const std::string path = "/v1/deliveries/" + delivery.id.text();
  EXPECT_EQ(call("GET", path, acme_operator_).json.at("response_payload"), "for acme");
  expect_problem(call("GET", path, globex_operator_), 404, "not_found");
  for (const std::string& token : {operator_, acme_operator_, globex_operator_}) {
    for (const std::string& list : {std::string("/v1/deliveries"), std::string("/v1/events"),
                                    "/v1/events/" + delivery.event_id.text()}) {
      EXPECT_EQ(call("GET", list, token).text.find("for acme"), std::string::npos) << list;
    }
  }
}

TEST_F(HistoryCallsTest, DeadLettersAreTheFailedDeliveries) {
  const auto alive = add_delivery("acme", "we_1", DeliveryState::pending);
  const auto dead = add_dead_letter("acme", "we_1");
  EXPECT_EQ(ids_of(get("/v1/dead-letters")), std::vector<std::string>{dead.id.text()});
  EXPECT_EQ(ids_of(get("/v1/dead-letters?state=failed")), std::vector<std::string>{dead.id.text()});
  EXPECT_EQ(ids_of(get("/v1/dead-letters?type=other")), std::vector<std::string>{});
  EXPECT_EQ(get("/v1/dead-letters/" + dead.id.text()).json.at("attempts").size(), 1U);
  for (const char* path : {"", "/replay"}) {
    const std::string method = *path ? "POST" : "GET";
    expect_problem(call(method, "/v1/dead-letters/" + alive.id.text() + path, operator_), 404,
                   "not_found");
  }
  expect_problem(remove("/v1/dead-letters/" + alive.id.text()), 404, "not_found");
}

TEST_F(HistoryCallsTest, ReplaysADeadLetterUnderTheNextGeneration) {
  const std::string endpoint = make_endpoint().at("id");
  const DeliveryRecord dead = add_dead_letter("default", endpoint);
  const std::string path = "/v1/dead-letters/" + dead.id.text();
  const Answer answer = call("POST", path + "/replay", operator_);
  ASSERT_EQ(answer.status, 202) << answer.text;
  EXPECT_EQ(answer.json.at("id"), dead.id.text());
  EXPECT_EQ(answer.json.at("state"), "pending");
  EXPECT_EQ(answer.json.at("generation"), 2);
  EXPECT_EQ(answer.json.at("attempt_count"), 0);
  EXPECT_EQ(answer.json.at("reason"), nullptr);
  EXPECT_NE(answer.json.at("next_attempt_at"), nullptr);
  expect_problem(call("POST", path + "/replay", operator_), 404, "not_found");
}

TEST_F(HistoryCallsTest, AReplayTakesNoFields) {
  const DeliveryRecord dead = add_dead_letter("default", make_endpoint().at("id"));
  const std::string path = "/v1/dead-letters/" + dead.id.text() + "/replay";
  expect_problem(post(path, {{"keep_idempotency_key", true}}), 422, "unknown_field");
  EXPECT_EQ(get("/v1/dead-letters").json.at("data").size(), 1U);
  EXPECT_EQ(post(path, Json::object()).status, 202);
}

TEST_F(HistoryCallsTest, ADisabledEndpointGetsNoReplay) {
  const std::string endpoint = make_endpoint().at("id");
  const DeliveryRecord dead = add_dead_letter("default", endpoint);
  ASSERT_EQ(post("/v1/webhook-endpoints/" + endpoint + "/disable", Json::object()).status, 200);
  const std::string path = "/v1/dead-letters/" + dead.id.text();
  expect_problem(call("POST", path + "/replay", operator_), 409, "webhook_endpoint_disabled");
  EXPECT_EQ(get(path).json.at("generation"), 1);
}

TEST_F(HistoryCallsTest, ADeletedEndpointGetsNoReplayEver) {
  const std::string endpoint = make_endpoint().at("id");
  const DeliveryRecord dead = add_dead_letter("default", endpoint);
  ASSERT_EQ(remove("/v1/webhook-endpoints/" + endpoint).status, 204);
  const std::string path = "/v1/dead-letters/" + dead.id.text();
  expect_problem(call("POST", path + "/replay", operator_), 409, "webhook_delivery_failed");
  EXPECT_EQ(get(path).json.at("generation"), 1);
}

TEST_F(HistoryCallsTest, ADeletedDeadLetterIsACanceledDelivery) {
  const DeliveryRecord dead = add_dead_letter("acme", "we_1");
  const Answer answer = remove("/v1/dead-letters/" + dead.id.text());
  EXPECT_EQ(answer.status, 204);
  expect_problem(get("/v1/dead-letters/" + dead.id.text()), 404, "not_found");
  EXPECT_EQ(get("/v1/deliveries/" + dead.id.text()).json.at("state"), "canceled");
}

struct BadQuery {
  const char* path;
  const char* code;
  const char* param;
};

TEST_F(HistoryCallsTest, RefusesParametersThatItWouldHaveToIgnore) {
  const BadQuery queries[] = {
      {"/v1/deliveries?limit=0", "out_of_range", "limit"},
      {"/v1/deliveries?limit=101", "out_of_range", "limit"},
      {"/v1/deliveries?limit=ten", "out_of_range", "limit"},
      {"/v1/deliveries?limit=5x", "out_of_range", "limit"},
      {"/v1/deliveries?limit=99999999999999999999", "out_of_range", "limit"},
      {"/v1/deliveries?limit=", "out_of_range", "limit"},
      {"/v1/deliveries?limit=1&limit=2", "duplicate", "limit"},
      {"/v1/deliveries?cursor=abc", "invalid_value", "cursor"},
      {"/v1/deliveries?cursor=we_01KAN8Q4Y0ZV3M7K9T2B5C8DXF", "invalid_value", "cursor"},
      {"/v1/webhook-endpoints?cursor=dlv_01KAN8Q4Y0ZV3M7K9T2B5C8DXF", "invalid_value", "cursor"},
      {"/v1/events?limit=0", "out_of_range", "limit"},
      {"/v1/events?type=a", "unknown_parameter", "type"},
      {"/v1/deliveries?endpoint_id=we_1", "invalid_value", "endpoint_id"},
      {"/v1/deliveries?event_id=1%00", "invalid_value", "event_id"},
      {"/v1/deliveries?type=a%20b", "invalid_value", "type"},
      {"/v1/deliveries?type=%ff", "invalid_value", "type"},
      {"/v1/deliveries?state=lost", "invalid_value", "state"},
      {"/v1/dead-letters?state=pending", "invalid_value", "state"},
      {"/v1/deliveries?created_after=yesterday", "invalid_value", "created_after"},
      {"/v1/deliveries?created_before=2026-05-27T09:00:00%2002:00", "invalid_value",
       "created_before"},
      {"/v1/deliveries?staet=failed", "unknown_parameter", "staet"},
      {"/v1/deliveries/dlv_01KAN8Q4Y0ZV3M7K9T2B5C8DXF?verbose=1", "unknown_parameter", "verbose"},
  };
  for (const auto& [path, code, param] : queries) {
    const Answer answer = get(path);
    expect_problem(answer, 422, code);
    EXPECT_EQ(answer.json.value("param", ""), param) << path;
  }
}

TEST_F(HistoryCallsTest, ReportsAllBadParametersAtOnce) {
  const Answer answer = get("/v1/deliveries?limit=0&state=lost&staet=failed");
  expect_problem(answer, 422, "validation_failed");
  EXPECT_EQ(answer.json.at("errors").size(), 3U);
}

TEST_F(HistoryCallsTest, MalformedIdsAreUnknownAndNeverReachTheStore) {
  stores_.before_each_call([](std::string_view name) {
    EXPECT_EQ(name, "tokens.find") << "a malformed id must not become a statement's parameter";
  });
  for (const char* id :
       {"1", "we_1", "%00", "%ff", "dlv_01kan8q4y0zv3m7k9t2b5c8dxf", "..", "'--"}) {
    for (const char* path : {"webhook-endpoints", "events", "deliveries", "dead-letters"}) {
      expect_problem(get(std::string("/v1/") + path + "/" + id), 404, "not_found");
    }
  }
}

}  // namespace
}  // namespace sealpost
