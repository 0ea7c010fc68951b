// Endpoints that are gone, disabled, forbidden or pointing elsewhere.
#include <gtest/gtest.h>

#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 20s;
const Environment kForbidLoopback{{"SEALPOST_ALLOW_RANGES", "10.0.0.0/8"}};

class EndpointE2eTest : public ::testing::Test {
 protected:
  // Its deliveries in that state, once there are `count`.
  std::vector<Json> deliveries(ApiClient& api, const std::string& state, std::size_t count) {
    std::vector<Json> found;
    EXPECT_TRUE(eventually(kPatience,
                           [&] {
                             found = api.read_all("/v1/deliveries?state=" + state);
                             return found.size() == count;
                           }))
        << found.size() << " deliveries are " << state;
    return found;
  }

  Installation installation_;
  Receiver receiver_;
};

TEST_F(EndpointE2eTest, GoneDisablesTheEndpointUntilItIsEnabledAgain) {
  receiver_.on("/gone", {{.status = 410}, {.status = 200}});
  const auto serve = installation_.start("serve");
  ApiClient api = installation_.api(*serve);
  const Json endpoint = api.make("/v1/webhook-endpoints", endpoint_body(receiver_.url("/gone")));
  const std::string path = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();

  installation_.insert({});
  ASSERT_TRUE(eventually(kPatience, [&] { return api.read(path).at("status") == "disabled"; }))
      << serve->errors();
  EXPECT_NE("", api.read(path).at("status_reason"));
  for (const Json& failed : deliveries(api, "failed", 1)) EXPECT_EQ("gone", failed.at("reason"));

  installation_.insert({.count = 3});
  deliveries(api, "skipped", 3);
  EXPECT_EQ(1U, receiver_.requests()) << "a disabled endpoint was called";

  api.make(path + "/enable");
  installation_.insert({});
  deliveries(api, "delivered", 1);
  EXPECT_EQ(2U, receiver_.requests());
}

TEST_F(EndpointE2eTest, RefusesAPrivateAddressWhenAnEndpointIsCreated) {
  const auto api_process = installation_.start("admin-api", kForbidLoopback);
  ApiClient api = installation_.api(*api_process);
  for (const char* host : {"127.0.0.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"}) {
    const std::string url =
        "http://" + std::string(host) + ":" + std::to_string(receiver_.port()) + "/";
    const ApiResponse refusal = api.post("/v1/webhook-endpoints", endpoint_body(url));
    EXPECT_EQ(422, refusal.status) << url << ' ' << refusal.text;
  }
  EXPECT_TRUE(api.read("/v1/webhook-endpoints").at("data").empty());
}

TEST_F(EndpointE2eTest, RefusesAPrivateAddressWhenItConnects) {
  {
    const auto api_process = installation_.start("admin-api");
    ApiClient api = installation_.api(*api_process);
    // An address that was allowed when it was registered, and a name that points to one.
    api.make("/v1/webhook-endpoints", endpoint_body(receiver_.url("/address")));
    api.make("/v1/webhook-endpoints",
             endpoint_body("http://localhost:" + std::to_string(receiver_.port()) + "/name"));
  }
  const auto serve = installation_.start("serve", kForbidLoopback);
  ApiClient api = installation_.api(*serve);
  installation_.insert({});
  for (const Json& failed : deliveries(api, "failed", 2)) {
    EXPECT_EQ("blocked_by_policy", failed.at("reason"));
    const Json letter = api.read("/v1/dead-letters/" + failed.at("id").get<std::string>());
    ASSERT_EQ(1U, letter.at("attempts").size());
    EXPECT_EQ("blocked_by_policy", letter.at("attempts")[0].at("error"));
  }
  EXPECT_EQ(0U, receiver_.requests());
}

TEST_F(EndpointE2eTest, NeverFollowsARedirect) {
  receiver_.on("/from", {{.status = 307, .headers = {{"Location", receiver_.url("/to")}}}});
  const auto serve = installation_.start("serve");
  ApiClient api = installation_.api(*serve);
  api.make("/v1/webhook-endpoints", endpoint_body(receiver_.url("/from"), quick_retry({0.05})));
  installation_.insert({});
  for (const Json& failed : deliveries(api, "failed", 1)) {
    EXPECT_EQ("attempts_exhausted", failed.at("reason"));
    EXPECT_EQ(307, failed.at("last_status_code"));
  }
  EXPECT_EQ(2U, receiver_.ledger().requests_to("/from"));
  EXPECT_EQ(0U, receiver_.ledger().requests_to("/to"));
}

}  // namespace
}  // namespace sealpost
