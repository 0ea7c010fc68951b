// Receivers that are asked before the first delivery: the real program and a real receiver.
#include <gtest/gtest.h>

#include "core/validation.h"
#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;
const SecretText kSecret("0123456789abcdef0123456789abcdef");
constexpr char kPath[] = "/hook";

class ValidationE2eTest : public ::testing::Test {
 protected:
  void start(const Environment& more = {}) {
    Environment environment = {{"SEALPOST_WEBHOOK_ORIGIN", "sender.example"},
                               {"SEALPOST_INSTANCE", "one"}};
    environment.insert(more.begin(), more.end());
    process_ = installation_.start("serve", environment);
  }

  std::string make_endpoint(const Json& members) {
    return api()
        .make("/v1/webhook-endpoints", endpoint_body(receiver_.url(kPath), members))
        .at("id");
  }
  Json endpoint(const std::string& id) { return api().read("/v1/webhook-endpoints/" + id); }
  ApiClient api() { return installation_.api(*process_); }

  [[nodiscard]] bool wait_for_state(const std::string& id, const std::string& state) {
    return eventually(kPatience,
                      [&] { return endpoint(id).at("validation").at("state") == state; });
  }
  [[nodiscard]] bool wait_for_requests(std::size_t count) {
    return receiver_.wait_for_requests(count, kPatience);
  }
  std::vector<LedgerEntry> requests() {
    const Ledger ledger = receiver_.ledger();
    return {ledger.entries().begin(), ledger.entries().end()};
  }
  void expect_one_delivery(const std::string& id) {
    ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << process_->errors();
    const LedgerEntry last = requests().back();
    EXPECT_EQ("POST", last.method);
    EXPECT_EQ(id, last.header("webhook-id"));
  }

  static Answer consent(std::vector<std::pair<std::string, std::string>> headers) {
    return {.status = 204, .headers = std::move(headers)};
  }

  Installation installation_;
  Receiver receiver_;
  std::unique_ptr<SealpostProcess> process_;
};

TEST_F(ValidationE2eTest, CloudEventsConsentByHeaders) {
  receiver_.on(
      kPath,
      {consent({{"WebHook-Allowed-Origin", "sender.example"}, {"WebHook-Allowed-Rate", "600"}}),
       Answer{}});
  start();
  const std::string id =
      make_endpoint({{"validation", {{"kind", "cloudevents"}}}, {"rate_limit_per_second", 100}});
  const std::string event = installation_.insert({}).at(0);
  expect_one_delivery(event);
  const auto seen = requests();
  ASSERT_EQ(2U, seen.size());
  EXPECT_EQ("OPTIONS", seen[0].method);
  EXPECT_EQ("sender.example", seen[0].header("webhook-request-origin"));
  EXPECT_EQ("6000", seen[0].header("webhook-request-rate"));
  EXPECT_EQ("", seen[0].header("webhook-request-callback"));
  EXPECT_EQ("", seen[0].header("content-type"));
  EXPECT_EQ("", seen[0].body);
  EXPECT_EQ("sender.example", seen[1].header("webhook-request-origin"));
  EXPECT_EQ(600, endpoint(id).at("validation").at("allowed_per_minute"));
  EXPECT_EQ("enabled", endpoint(id).at("status"));
}

// By its callback, after a crash of whoever asked: the secret of the newest question counts.
TEST_F(ValidationE2eTest, CloudEventsConsentByCallback) {
  start({{"SEALPOST_PUBLIC_URL", "http://api.example/"}});
  const std::string id = make_endpoint({{"validation", {{"kind", "cloudevents"}}}});
  const std::string event = installation_.insert({}).at(0);
  ASSERT_TRUE(wait_for_requests(1));
  process_->kill_hard();
  ASSERT_TRUE(process_->wait_exit(kPatience));
  start({{"SEALPOST_PUBLIC_URL", "http://api.example/"}});
  api().make("/v1/webhook-endpoints/" + id + "/resume");
  ASSERT_TRUE(wait_for_requests(2));
  ASSERT_TRUE(eventually(kPatience, [&] {
    return endpoint(id).at("validation").at("reason") != "";
  })) << endpoint(id);
  std::vector<std::string> paths;
  for (const LedgerEntry& request : requests()) {
    const std::string callback = request.header("webhook-request-callback");
    const std::string base = "http://api.example";
    ASSERT_EQ(base + "/v1/webhook-validations/", callback.substr(0, callback.rfind('/') + 1));
    paths.push_back(callback.substr(base.size()));
    EXPECT_EQ(std::string::npos, process_->errors().find(paths.back())) << "it is a secret";
  }
  EXPECT_EQ("paused", endpoint(id).at("status"));
  EXPECT_EQ(404, api().get(paths[0]).status);
  EXPECT_EQ(200, api().get(paths[1]).status);
  EXPECT_EQ(404, api().get(paths[1]).status);
  expect_one_delivery(event);
  EXPECT_EQ(3U, requests().size());
}

TEST_F(ValidationE2eTest, AChallengeIsAskedAgainAfter72HoursAndAFailurePauses) {
  receiver_.on(kPath, [](const LedgerEntry& request) {
    const auto answer = answer_to_challenge(request.body, kSecret);
    return answer ? Answer{.headers = {{"Content-Type", "application/json"}}, .body = *answer}
                  : Answer{};
  });
  start();
  const std::string id = make_endpoint({{"validation", {{"kind", "challenge"}}},
                                        {"signing", {{"profile", "zoom"}}},
                                        {"secret", std::string(kSecret.reveal())}});
  const std::string event = installation_.insert({}).at(0);
  expect_one_delivery(event);
  ASSERT_EQ(2U, requests().size());
  EXPECT_NE("", requests()[0].header("x-zm-signature"));
  EXPECT_EQ(kChallengeEvent, Json::parse(requests()[0].body).at("event"));
  EXPECT_EQ("valid", endpoint(id).at("validation").at("state"));

  EXPECT_EQ(1, installation_.count("SELECT count(*) FROM sealpost.endpoints WHERE "
                                   "validation_due_at BETWEEN now() + interval '71 hours' AND "
                                   "now() + interval '72 hours'"));
  receiver_.on(kPath, {Answer{.body = "hello"}});
  installation_.sql().transaction({}, [](PgTransaction& transaction) {
    transaction.run_once("UPDATE sealpost.endpoints SET validation_due_at = now()");
  });
  ASSERT_TRUE(wait_for_state(id, "refused")) << process_->errors();
  EXPECT_EQ("paused", endpoint(id).at("status"));
  EXPECT_NE("", endpoint(id).at("validation").at("reason"));
  const auto waiting = installation_.insert({}).at(0);
  ASSERT_TRUE(eventually(kPatience, [&] {
    return installation_.count("SELECT count(*) FROM sealpost.delivery_rows WHERE event_id = '" +
                               waiting + "'") == 1;
  }));
  EXPECT_EQ(3U, requests().size());
}

// `sealpost listen` answers both, so that a developer sees them work.
TEST_F(ValidationE2eTest, ListenConsents) {
  SealpostProcess listen({.arguments = {"listen", "--port", "0", "--json", "--secret",
                                        std::string(kSecret.reveal())}});
  const auto line = listen.program().wait_for_line(
      Stream::errors, [](const std::string& text) { return text.find("http://") != text.npos; },
      kPatience);
  ASSERT_TRUE(line);
  const auto begin = line->find("http://");
  const std::string url = line->substr(begin, line->find(' ', begin) - begin);
  start();
  for (const char* kind : {"cloudevents", "challenge"}) {
    const std::string id =
        api()
            .make("/v1/webhook-endpoints",
                  endpoint_body(url, {{"validation", {{"kind", kind}}},
                                      {"rate_limit_per_second", 5},
                                      {"signing", {{"profile", "slack"}}},
                                      {"secret", std::string(kSecret.reveal())}}))
            .at("id");
    EXPECT_TRUE(wait_for_state(id, "valid")) << endpoint(id);
  }
}

}  // namespace
}  // namespace sealpost
