// A running API on a free port with the stores in memory, two tenants, and a token for every role.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "admin_api/server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/memory_admin_stores.h"

namespace sealpost {

using Json = nlohmann::json;

// An answer as a client sees it.
struct Answer {
  int status = 0;
  httplib::Headers headers;
  std::string text;
  Json json;  // null if there is no body or it is not JSON

  std::string header(const std::string& name) const;
};

class ApiFixture : public testing::Test {
 protected:
  ApiFixture();
  ~ApiFixture() override;

  // Makes one call; `token` empty: without one. A body is sent as JSON.
  Answer call(const std::string& method, const std::string& path, const std::string& token,
              const std::string& body = "", httplib::Headers headers = {});
  // As the operator of all tenants.
  Answer get(const std::string& path) { return call("GET", path, operator_); }
  Answer post(const std::string& path, const Json& body) {
    return call("POST", path, operator_, body.dump());
  }
  Answer patch(const std::string& path, const Json& body) {
    return call("PATCH", path, operator_, body.dump());
  }
  Answer remove(const std::string& path) { return call("DELETE", path, operator_); }

  // An endpoint that was created with these members besides the required ones; the whole 201.
  Json make_endpoint(const Json& members = Json::object());
  // A failed delivery of a new event, with one attempt; its id.
  DeliveryRecord add_dead_letter(const std::string& tenant, const std::string& endpoint_id);
  DeliveryRecord add_delivery(const std::string& tenant, const std::string& endpoint_id,
                              DeliveryState state, const std::string& type = "invoice.paid");

  // Sends bytes on a socket of its own and returns all that comes back until the server closes.
  std::string raw(const std::string& bytes) const;

  FakeClock clock_;
  FakeRandom random_;
  MemoryAdminStores stores_{clock_, random_};
  bool live_ = true;
  std::string not_ready_;  // why; empty: ready
  std::unique_ptr<AdminApi> api_;
  std::string admin_, operator_, producer_, readonly_, acme_operator_, globex_operator_;

 private:
  std::string make_token(Role role, const std::optional<std::string>& tenant = std::nullopt);
};

// A minimal body for a new endpoint.
Json endpoint_body(const Json& members = Json::object());

// Asserts that `answer` is a well-formed problem with this status and code.
void expect_problem(const Answer& answer, int status, const std::string& code);

}  // namespace sealpost
