// The description and the program say the same.
#include "admin_api/openapi.h"

#include <algorithm>
#include <set>

#include "admin_api/routes.h"
#include "tests/admin_api/api_fixture.h"

namespace sealpost {
namespace {

using OpenApiTest = ApiFixture;

std::set<std::string> names_of(const Json& object) {
  std::set<std::string> names;
  for (const auto& item : object.items()) names.insert(item.key());
  return names;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return lower;
}

TEST_F(OpenApiTest, IsServedAsItStandsInTheRepository) {
  const Answer answer = call("GET", "/openapi.json", "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  EXPECT_EQ(answer.text, openapi_text());
  EXPECT_EQ(answer.json.at("openapi"), "3.1.0");
}

TEST_F(OpenApiTest, DescribesExactlyTheRoutesThatExist) {
  std::set<std::string> described;
  const Json document = Json::parse(openapi_text());
  for (const auto& path : document.at("paths").items()) {
    for (const auto& operation : path.value().items())
      described.insert(operation.key() + " " + path.key());
  }
  std::set<std::string> routed;
  for (const Route& route : routes()) {
    routed.insert(lower_case(route.method) + " " + std::string(route.pattern));
  }
  EXPECT_EQ(described, routed);
}

TEST_F(OpenApiTest, SaysWhichCallsNeedAToken) {
  const Json document = Json::parse(openapi_text());
  for (const Route& route : routes()) {
    const Json& operation =
        document.at("paths").at(std::string(route.pattern)).at(lower_case(route.method));
    EXPECT_EQ(operation.contains("security"), route.access == Access::open) << route.pattern;
  }
}

TEST_F(OpenApiTest, ItsSchemasNameTheMembersOfRealAnswers) {
  const Json schemas = Json::parse(openapi_text()).at("components").at("schemas");
  const auto properties = [&](const char* schema) {
    return names_of(schemas.at(schema).at("properties"));
  };
  const Json endpoint = make_endpoint();
  Json shown = endpoint;
  shown.erase("secret");
  EXPECT_EQ(names_of(shown), properties("Endpoint"));
  EXPECT_EQ(names_of(endpoint.at("encryption")), properties("Encryption"));
  const Json key = {{"public_key", std::string(64, 'a')}};
  EXPECT_EQ(names_of(post("/v1/merchant/webhook-keys", key).json), properties("EncryptionKey"));
  const DeliveryRecord dead = add_dead_letter("default", endpoint.at("id"));
  Json delivery = get("/v1/deliveries/" + dead.id.text()).json;
  EXPECT_EQ(names_of(delivery.at("attempts")[0]), properties("Attempt"));
  EXPECT_EQ(names_of(delivery.at("attempts")[0].at("phases_ms")),
            names_of(schemas.at("Attempt").at("properties").at("phases_ms").at("properties")));
  const Json& detail = schemas.at("DeliveryDetail").at("allOf")[1].at("properties");
  for (const std::string& name : names_of(detail)) EXPECT_EQ(delivery.erase(name), 1U) << name;
  EXPECT_EQ(names_of(delivery), properties("Delivery"));
  const std::string secrets =
      "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>() + "/secrets";
  EXPECT_EQ(names_of(get(secrets).json.at("data")[0]), properties("Secret"));
  EXPECT_EQ(names_of(post(secrets + "/rotate", Json::object()).json), properties("RotatedSecret"));
  EXPECT_EQ(names_of(get("/v1/events").json.at("data")[0]), properties("Event"));
  EXPECT_EQ(names_of(call("GET", "/v1/events?limit=0", operator_).json), properties("Problem"));
}

TEST_F(OpenApiTest, ItsExamplesOfBodiesAreAccepted) {
  const Json paths = Json::parse(openapi_text()).at("paths");
  const auto example = [&](const char* path, const char* method) {
    return paths.at(path)
        .at(method)
        .at("requestBody")
        .at("content")
        .at("application/json")
        .at("example");
  };
  const Answer created = post("/v1/webhook-endpoints", example("/v1/webhook-endpoints", "post"));
  ASSERT_EQ(created.status, 201) << created.text;
  const std::string path = "/v1/webhook-endpoints/" + created.json.at("id").get<std::string>();
  const Answer changed = patch(path, example("/v1/webhook-endpoints/{id}", "patch"));
  EXPECT_EQ(changed.status, 200) << changed.text;
  const std::string keys = "/v1/merchant/webhook-keys";
  EXPECT_EQ(post(keys, example(keys.c_str(), "post")).status, 201);
  for (const char* verb : {"disable", "enable", "pause", "resume"}) {
    const std::string pattern = std::string("/v1/webhook-endpoints/{id}/") + verb;
    EXPECT_EQ(post(path + "/" + verb, example(pattern.c_str(), "post")).status, 200) << verb;
  }
  for (const std::string pattern :
       {"/v1/webhook-endpoints/{id}/secrets/rotate", "/v1/merchant/webhook-secrets/rotate"}) {
    Json body = example(pattern.c_str(), "post");
    body["force"] = true;
    const auto at = pattern.find("/secrets/");
    const std::string to = at == std::string::npos ? pattern : path + pattern.substr(at);
    EXPECT_EQ(post(to, body).status, 200) << pattern;
  }
}

TEST_F(OpenApiTest, ListsTheFieldsThatAnEndpointTakes) {
  const Json schemas = Json::parse(openapi_text()).at("components").at("schemas");
  for (const auto& property : schemas.at("EndpointCreate").at("properties").items()) {
    // A list fits no field, or not with this entry: a known field answers anything but
    // unknown_field.
    const Answer answer = post("/v1/webhook-endpoints", endpoint_body({{property.key(), {true}}}));
    EXPECT_EQ(answer.status, 422) << property.key();
    EXPECT_NE(answer.json.value("code", ""), "unknown_field") << property.key();
  }
}

}  // namespace
}  // namespace sealpost
