// What Sealpost sends, judged by libraries that we did not write: real deliveries of the real
// binary to a Node receiver (judge.mjs), over HTTP.
#include <gtest/gtest.h>
#include <httplib.h>

#include <set>

#include "base/bytes.h"
#include "tests/e2e/installation.h"
#include "tests/support/running_program.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 30s;

// Payloads that a sender could spoil: escapes, other scripts, big and exact numbers, odd spacing, a
// long one.
const std::vector<std::string> kPayloads{
    R"({"amount": 50000, "currency": "usd"})",
    R"({"text":"\u00e4 \"quoted\" \\ \/ \n","euro":"€","emoji":"😀","cjk":"漢字"})",
    R"({  "spaces" :   1.0 , "exact":12345678901234567890, "small":1e-7})",
    R"([1,"two",null,true])",
    "\"" + std::string(60'000, 'x') + "1\"",
};

class Judge {
 public:
  Judge()
      : program_({.arguments = {"node", "judge.mjs"}, .directory = SEALPOST_INTEROP_DIR}),
        port_(Json::parse(line([](const Json&) { return true; })).at("port")) {}

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  void assign(const std::string& path, const std::string& library, const std::string& secret) {
    const Json assignment = {{"library", library}, {"secret", secret}};
    const auto result =
        httplib::Client("127.0.0.1", port_).Put(path, assignment.dump(), "application/json");
    ASSERT_TRUE(result) << program_.text(Stream::errors);
    ASSERT_EQ(204, result->status);
  }

  // The verdicts about a path, once there are that many.
  std::vector<Json> verdicts(const std::string& path, std::size_t count) const {
    std::vector<Json> found;
    line([&](const Json& verdict) {
      if (verdict.value("path", "") == path) found.push_back(verdict);
      return found.size() == count;
    });
    return found;
  }

 private:
  std::string line(const std::function<bool(const Json&)>& predicate) const {
    const auto found = program_.wait_for_line(
        Stream::output, [&](const std::string& text) { return predicate(Json::parse(text)); },
        kPatience);
    if (!found) throw std::runtime_error("the judge is silent: " + program_.text(Stream::errors));
    return *found;
  }

  RunningProgram program_;
  int port_;
};

class InteropTest : public ::testing::Test {
 protected:
  InteropTest() : serve_(installation_.start("serve")), api_(installation_.api(*serve_)) {}

  void create_endpoint(const std::string& path, const std::string& profile,
                       const std::string& library) {
    Json more = quick_retry({0.05});
    more["signing"] = {{"profile", profile}};
    const Json endpoint = api_.make("/v1/webhook-endpoints", endpoint_body(judge_.url(path), more));
    // The secret as its owner sees it: shown once, when the endpoint is created.
    judge_.assign(path, library, endpoint.at("secret"));
  }

  std::string insert(const std::string& payload) {
    return installation_.sql()
        .query_once(
            "INSERT INTO sealpost.outbox (type, payload) VALUES ('payment_intent.succeeded', "
            "$1::json) "
            "RETURNING id",
            PgParameters().add(payload))
        .text(0, 0);
  }

  static void expect_good(const Json& verdict) {
    EXPECT_TRUE(verdict.at("accepted")) << verdict.value("problem", "");
    for (const char* change : {"tampered_body", "stale", "wrong_secret"}) {
      EXPECT_TRUE(verdict.at("refused").at(change)) << "the judge let pass: " << change;
    }
  }

  static std::string body_of(const Json& verdict) {
    return base64_decode(verdict.at("body").get<std::string>()).value_or("");
  }

  Installation installation_;
  Judge judge_;
  std::unique_ptr<SealpostProcess> serve_;
  ApiClient api_;
};

TEST_F(InteropTest, StandardProfileIsAcceptedByStandardwebhooks) {
  create_endpoint("/standard", "standard", "standardwebhooks");
  std::map<std::string, std::string> payload_of;
  for (const std::string& payload : kPayloads) payload_of[insert(payload)] = payload;

  for (const Json& verdict : judge_.verdicts("/standard", kPayloads.size())) {
    expect_good(verdict);
    const std::string id = verdict.at("headers").at("webhook-id");
    ASSERT_TRUE(payload_of.contains(id)) << id;
    EXPECT_NE(std::string::npos, body_of(verdict).find(payload_of.at(id))) << "byte for byte";
    EXPECT_EQ("payment_intent.succeeded", verdict.at("event").at("type"));
    EXPECT_TRUE(verdict.at("event").contains("timestamp"));
    EXPECT_TRUE(verdict.at("event").contains("data"));
    payload_of.erase(id);
  }
  EXPECT_TRUE(payload_of.empty());
}

TEST_F(InteropTest, ItpayProfileIsAcceptedByStripe) {
  create_endpoint("/itpay", "itpay", "stripe");
  std::map<std::string, std::string> payload_of;
  for (const std::string& payload : kPayloads) payload_of[insert(payload)] = payload;

  for (const Json& verdict : judge_.verdicts("/itpay", kPayloads.size())) {
    expect_good(verdict);
    const Json& event = verdict.at("event");
    const std::string id = event.at("id");
    ASSERT_TRUE(payload_of.contains(id)) << id;
    EXPECT_NE(std::string::npos, body_of(verdict).find(payload_of.at(id))) << "byte for byte";
    EXPECT_EQ("payment_intent.succeeded", event.at("type"));
    EXPECT_TRUE(event.at("data").contains("object"));
    EXPECT_TRUE(event.at("created").is_number_integer());
    EXPECT_EQ("wh_" + id + "-retry-1",
              verdict.at("headers").at("idempotency-key").get<std::string>());
    payload_of.erase(id);
  }
  EXPECT_TRUE(payload_of.empty());
}

TEST_F(InteropTest, EveryAttemptIsSignedAnew) {
  create_endpoint("/flaky-standard", "standard", "standardwebhooks");
  create_endpoint("/flaky-itpay", "itpay", "stripe");
  insert(kPayloads.front());
  for (const std::string path : {"/flaky-standard", "/flaky-itpay"}) {
    const auto verdicts = judge_.verdicts(path, 2);
    ASSERT_EQ(2U, verdicts.size());
    for (const Json& verdict : verdicts) expect_good(verdict);
    EXPECT_EQ(verdicts[0].at("body"), verdicts[1].at("body"));
    EXPECT_EQ(verdicts[0].at("headers").at("idempotency-key"),
              verdicts[1].at("headers").at("idempotency-key"));
  }
}

}  // namespace
}  // namespace sealpost
