#include "tests/admin_api/api_fixture.h"

#include "base/log.h"
#include "base/ulid.h"
#include "tests/admin_api/raw_socket.h"

namespace sealpost {
namespace {

// One line per call would bury a failing test.
[[maybe_unused]] const bool kLogIsQuiet = [] {
  configure_log({.level = LogLevel::error, .format = LogFormat::text});
  return true;
}();

}  // namespace

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Json endpoint_body(const Json& members) {
  Json body = {{"url", "https://merchant.example.com/webhooks"}, {"enabled_events", {"invoice.*"}}};
  body.update(members);
  return body;
}

void expect_problem(const Answer& answer, int status, const std::string& code) {
  EXPECT_EQ(answer.status, status) << answer.text;
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << answer.text;
  ASSERT_TRUE(answer.json.is_object()) << answer.text;
  EXPECT_EQ(answer.json.value("status", 0), status);
  EXPECT_EQ(answer.json.value("code", ""), code) << answer.text;
  EXPECT_EQ(answer.json.value("type", ""), "urn:sealpost:problem:" + code);
  EXPECT_NE(answer.json.value("title", ""), "");
  EXPECT_NE(answer.json.value("detail", ""), "");
  EXPECT_EQ(answer.json.value("request_id", ""), answer.header("X-Request-Id"));
}

ApiFixture::ApiFixture() {
  const HealthSource health{
      .live = [this] { return live_; },
      .ready =
          [this](std::string& why) {
            why = not_ready_;
            return not_ready_.empty();
          },
      .metrics = [] { return std::string("# TYPE demo counter\ndemo 1\n"); },
  };
  api_ = std::make_unique<AdminApi>(
      AdminApi::Dependencies{
          .endpoints = [this] { return stores_.endpoints(); },
          .encryption_keys = [this] { return stores_.encryption_keys(); },
          .history = [this] { return stores_.history(); },
          .secrets = [this] { return stores_.secrets(); },
          .tokens = [this] { return stores_.tokens(); },
          .validations = [this] { return stores_.validations(); },
          .health = health,
          .clock = clock_,
          .random = random_,
      },
      AdminApiOptions{.listen = "127.0.0.1:0",
                      .url_rules = {},
                      .default_profile = "standard",
                      .webhook_origin = "sender.example",
                      .threads = 4});
  api_->start();
  admin_ = make_token(Role::admin);
  operator_ = make_token(Role::op);
  producer_ = make_token(Role::producer);
  readonly_ = make_token(Role::readonly);
  acme_operator_ = make_token(Role::op, "acme");
  globex_operator_ = make_token(Role::op, "globex");
}

ApiFixture::~ApiFixture() { api_->stop(); }

std::string ApiFixture::make_token(Role role, const std::optional<std::string>& tenant) {
  return std::string(stores_.tokens()->create("test", role, tenant).reveal());
}

Answer ApiFixture::call(const std::string& method, const std::string& path,
                        const std::string& token, const std::string& body,
                        httplib::Headers headers) {
  httplib::Client client("127.0.0.1", api_->port());
  client.set_read_timeout(20);
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = std::move(headers);
  request.body = body;
  if (!token.empty()) request.headers.emplace("Authorization", "Bearer " + token);
  if (!body.empty() && request.headers.count("Content-Type") == 0) {
    request.headers.emplace("Content-Type", "application/json");
  }
  const httplib::Result result = client.send(request);
  if (!result) throw std::runtime_error(method + " " + path + ": " + to_string(result.error()));
  Answer answer{
      .status = result->status, .headers = result->headers, .text = result->body, .json = {}};
  Json json = Json::parse(result->body, nullptr, false);
  if (!json.is_discarded()) answer.json = std::move(json);
  return answer;
}

Json ApiFixture::make_endpoint(const Json& members) {
  clock_.advance(std::chrono::seconds{1});
  const Answer answer = post("/v1/webhook-endpoints", endpoint_body(members));
  if (answer.status != 201) throw std::runtime_error(answer.text);
  return answer.json;
}

DeliveryRecord ApiFixture::add_delivery(const std::string& tenant, const std::string& endpoint_id,
                                        DeliveryState state, const std::string& type) {
  clock_.advance(std::chrono::seconds{1});
  const WallTime now = clock_.wall_now();
  Event event;
  event.id = EventId(new_ulid("evt_", now, random_));
  event.tenant = tenant;
  event.type = type;
  event.payload =
      R"({"amount":  50000, "amount": 1.0e2})";  // bytes, whatever a parser makes of them
  event.content_type = "application/json";
  event.created_at = now;
  DeliveryRecord delivery;
  delivery.id = DeliveryId(new_ulid("dlv_", now, random_));
  delivery.event_id = event.id;
  delivery.endpoint_id = EndpointId(endpoint_id);
  delivery.tenant = tenant;
  delivery.event_type = type;
  delivery.state = state;
  delivery.created_at = now;
  stores_.add_event(event);
  stores_.add_delivery(delivery, {});
  return delivery;
}

DeliveryRecord ApiFixture::add_dead_letter(const std::string& tenant,
                                           const std::string& endpoint_id) {
  DeliveryRecord delivery = add_delivery(tenant, endpoint_id, DeliveryState::failed);
  delivery.reason = FailureReason::rejected;
  delivery.attempts_made = 1;
  delivery.last_status_code = 400;
  delivery.finished_at = clock_.wall_now();
  AttemptRecord attempt;
  attempt.started_at = clock_.wall_now();
  attempt.outcome.status_code = 400;
  attempt.outcome.response_body = "no";
  attempt.outcome.remote_address = "203.0.113.7:443";
  attempt.outcome.duration = std::chrono::microseconds{1500};
  attempt.outcome.phases.first_byte = std::chrono::microseconds{1250};
  attempt.signature_key_ids = "0123456789abcdef,fedcba9876543210";
  stores_.add_delivery(delivery, {attempt});
  return delivery;
}

std::string ApiFixture::raw(const std::string& bytes) const {
  const RawSocket socket(api_->port());
  socket.send(bytes);
  return socket.read_to_end();
}

}  // namespace sealpost
