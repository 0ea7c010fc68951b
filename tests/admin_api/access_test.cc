// Who may call what: every route with every role, and every route across tenants.
#include <fmt/format.h>

#include "admin_api/routes.h"
#include "base/bytes.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

class AccessTest : public ApiFixture {
 protected:
  struct Objects {
    std::string endpoint, event, delivery, key;
  };

  // One of each, all of one tenant; the delivery is a dead letter.
  Objects make_objects(const std::string& tenant) {
    const std::string endpoint = make_endpoint({{"tenant", tenant}}).at("id");
    const DeliveryRecord delivery = add_dead_letter(tenant, endpoint);
    post("/v1/webhook-endpoints/" + endpoint + "/secrets/rotate", Json::object());
    last_endpoint_ = endpoint;
    const Json key = {{"public_key", std::string(64, 'a')}, {"endpoint_id", endpoint}};
    return {endpoint, delivery.event_id.text(), delivery.id.text(),
            post("/v1/merchant/webhook-keys", key).json.at("id")};
  }

  static bool is_about_key(const Route& route) {
    return route.pattern.starts_with("/v1/merchant/webhook-keys");
  }

  // The secret of a new endpoint's callback: each is good for once.
  std::string offered_callback() {
    const std::string endpoint =
        make_endpoint({{"validation", {{"kind", "cloudevents"}}}}).at("id");
    const std::string secret = base64url_encode(fmt::format("{:016}", next_key_++));
    stores_.offer_callback(EndpointId(endpoint), secret);
    return secret;
  }

  std::string path_of(const Route& route, const Objects& objects) {
    std::string path(route.pattern);
    const auto at = path.find("{id}");
    if (at == std::string::npos) return path;
    if (route.access == Access::open) return path.replace(at, 4, offered_callback());
    const bool endpoint = path.starts_with("/v1/webhook-endpoints");
    const bool event = path.starts_with("/v1/events");
    if (is_about_key(route)) return path.replace(at, 4, objects.key);
    return path.replace(at, 4,
                        endpoint ? objects.endpoint
                        : event  ? objects.event
                                 : objects.delivery);
  }

  std::string body_of(const Route& route) {
    if (route.pattern == "/v1/merchant/webhook-secrets/rotate") {
      return Json({{"endpoint_id", last_endpoint_}, {"force", true}}).dump();
    }
    if (route.pattern.ends_with("/rotate")) return R"({"force": true})";
    if (route.method == "PATCH") return R"({"timeout_ms": 2000})";
    if (route.method == "POST" && route.pattern == "/v1/webhook-endpoints")
      return endpoint_body().dump();
    if (route.method == "POST" && route.pattern == "/v1/merchant/webhook-keys") {
      // A key is registered once.
      return Json({{"public_key", std::string(62, 'a') + std::to_string(next_key_++)}}).dump();
    }
    return "";
  }

  int next_key_ = 10;
  std::string last_endpoint_;
};

TEST_F(AccessTest, EveryRouteAnswersEveryRoleAsTheTableSays) {
  const std::pair<std::string, Role> tokens[] = {{admin_, Role::admin},
                                                 {operator_, Role::op},
                                                 {producer_, Role::producer},
                                                 {readonly_, Role::readonly}};
  int checked = 0;
  for (const Route& route : routes()) {
    for (const auto& [token, role] : tokens) {
      SCOPED_TRACE(std::string(route.method) + " " + std::string(route.pattern) + " as " +
                   std::string(to_text(role)));
      const Objects objects = make_objects("default");
      const Answer answer =
          call(std::string(route.method), path_of(route, objects), token, body_of(route));
      const bool manages = role == Role::admin || role == Role::op;
      const bool allowed = route.access == Access::open || manages ||
                           (route.access == Access::read && role == Role::readonly);
      if (allowed) {
        EXPECT_EQ(answer.status / 100, 2) << answer.text;
      } else {
        expect_problem(answer, 403, "forbidden");
      }
      ++checked;
    }
  }
  EXPECT_EQ(checked, 35 * 4);
}

TEST_F(AccessTest, ARefusedRoleChangesNothing) {
  const Objects objects = make_objects("default");
  const Answer endpoint = get("/v1/webhook-endpoints/" + objects.endpoint);
  const Answer delivery = get("/v1/deliveries/" + objects.delivery);
  for (const Route& route : routes()) {
    if (route.access != Access::manage) continue;
    for (const std::string& token :
         {producer_, readonly_, std::string("sp_wrong"), std::string()}) {
      call(std::string(route.method), path_of(route, objects), token, body_of(route));
    }
  }
  EXPECT_EQ(get("/v1/webhook-endpoints/" + objects.endpoint).text, endpoint.text);
  EXPECT_EQ(get("/v1/deliveries/" + objects.delivery).text, delivery.text);
  EXPECT_EQ(get("/v1/webhook-endpoints").json.at("data").size(), 1U);
}

TEST_F(AccessTest, AnotherTenantsObjectsDoNotExistForAnyRoute) {
  const Objects objects = make_objects("acme");
  const Objects unknown = {"we_01KAN8Q4Y0ZV3M7K9T2B5C8DXF", "evt_01KAN8Q4Y0ZV3M7K9T2B5C8DXF",
                           "dlv_01KAN8Q4Y0ZV3M7K9T2B5C8DXF", "whk_01KAN8Q4Y0ZV3M7K9T2B5C8DXF"};
  const Answer before = get("/v1/webhook-endpoints/" + objects.endpoint);
  int checked = 0;
  for (const Route& route : routes()) {
    if (route.pattern.find("{id}") == std::string_view::npos) continue;
    if (route.access == Access::open) continue;
    SCOPED_TRACE(std::string(route.method) + " " + std::string(route.pattern));
    const std::string method(route.method);
    const Answer foreign = call(method, path_of(route, objects), globex_operator_, body_of(route));
    const Answer missing = call(method, path_of(route, unknown), globex_operator_, body_of(route));
    const char* const code = is_about_key(route) ? "webhook_key_not_found" : "not_found";
    expect_problem(foreign, 404, code);
    expect_problem(missing, 404, code);
    EXPECT_EQ(foreign.json.at("detail"), missing.json.at("detail")) << "they must look the same";
    ++checked;
  }
  EXPECT_EQ(checked, 19);
  EXPECT_EQ(get("/v1/webhook-endpoints/" + objects.endpoint).text, before.text);
}

TEST_F(AccessTest, AnotherTenantsObjectsStandInNoList) {
  const Objects objects = make_objects("acme");
  for (const char* path :
       {"/v1/webhook-endpoints", "/v1/events", "/v1/deliveries", "/v1/dead-letters"}) {
    EXPECT_EQ(call("GET", path, globex_operator_).json.at("data"), Json::array()) << path;
    EXPECT_EQ(call("GET", path, acme_operator_).json.at("data").size(), 1U) << path;
  }
  EXPECT_EQ(call("GET", "/v1/deliveries?endpoint_id=" + objects.endpoint, globex_operator_)
                .json.at("data"),
            Json::array());
}

TEST_F(AccessTest, ATenantsTokenWorksOnItsOwnObjects) {
  for (const Route& route : routes()) {
    SCOPED_TRACE(std::string(route.method) + " " + std::string(route.pattern));
    const Objects objects = make_objects("acme");
    const Answer answer =
        call(std::string(route.method), path_of(route, objects), acme_operator_, body_of(route));
    EXPECT_EQ(answer.status / 100, 2) << answer.text;
  }
}

TEST_F(AccessTest, ATenantsTokenCreatesEndpointsOfItsTenantOnly) {
  const auto create = [&](const Json& members) {
    return call("POST", "/v1/webhook-endpoints", acme_operator_, endpoint_body(members).dump());
  };
  EXPECT_EQ(create(Json::object()).json.at("tenant"), "acme");
  EXPECT_EQ(create({{"tenant", "acme"}}).json.at("tenant"), "acme");
  EXPECT_EQ(create({{"tenant", nullptr}}).json.at("tenant"), "acme");
  const Answer refused = create({{"tenant", "globex"}});
  expect_problem(refused, 403, "tenant_not_allowed");
  EXPECT_EQ(refused.json.value("param", ""), "tenant");
  EXPECT_EQ(call("GET", "/v1/webhook-endpoints", globex_operator_).json.at("data"), Json::array());
}

TEST_F(AccessTest, CallsWithoutAValidTokenAreChallenged) {
  const std::pair<const char*, const char*> headers[] = {
      {"", ""},
      {"Authorization", ""},
      {"Authorization", "Bearer"},
      {"Authorization", "Bearer "},
      {"Authorization", "Basic dXNlcjpwYXNz"},
      {"Authorization", "Bearer sp_unknown"},
      {"Authorization", "Bearer sp unknown"},
  };
  for (const auto& [name, value] : headers) {
    SCOPED_TRACE(value);
    httplib::Headers sent;
    if (*name) sent.emplace(name, value);
    const Answer answer = call("GET", "/v1/webhook-endpoints", "", "", sent);
    expect_problem(answer, 401, "unauthorized");
    EXPECT_EQ(answer.header("WWW-Authenticate").substr(0, 6), "Bearer");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  }
  const Answer absurd = call("GET", "/v1/webhook-endpoints", std::string(4000, 'a'));
  expect_problem(absurd, 401, "unauthorized");
}

TEST_F(AccessTest, TheSchemeIsReadWithoutRegardToCase) {
  EXPECT_EQ(call("GET", "/v1/webhook-endpoints", "", "", {{"Authorization", "bEARER " + readonly_}})
                .status,
            200);
}

}  // namespace
}  // namespace sealpost
