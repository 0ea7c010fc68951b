// The main job, end to end: events inserted by SQL, the real binary, a real receiver.
#include <gtest/gtest.h>

#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kPatience = 20s;

class DeliveryE2eTest : public ::testing::Test {
 protected:
  DeliveryE2eTest() : serve_(installation_.start("serve")), api_(installation_.api(*serve_)) {}

  Json create_endpoint(const std::string& path, const Json& more = Json::object()) {
    return api_.make("/v1/webhook-endpoints", endpoint_body(receiver_.url(path), more));
  }

  // The event's only delivery, with its attempts, once it is in that state.
  Json delivery_in_state(const std::string& event_id, const std::string& state) {
    Json found;
    const bool reached = eventually(kPatience, [&] {
      const Json list = api_.read("/v1/deliveries?event_id=" + event_id).at("data");
      if (list.size() != 1) return false;
      found = api_.read("/v1/deliveries/" + list[0].at("id").get<std::string>());
      return found.at("state") == state;
    });
    EXPECT_TRUE(reached) << "not " << state << ": " << found.dump(1) << serve_->errors();
    return found;
  }

  Installation installation_;
  Receiver receiver_;
  std::unique_ptr<SealpostProcess> serve_;
  ApiClient api_;
};

std::vector<int> status_codes(const Json& delivery) {
  std::vector<int> codes;
  for (const Json& attempt : delivery.at("attempts")) codes.push_back(attempt.at("status_code"));
  return codes;
}

TEST_F(DeliveryE2eTest, DeliversACommittedEventOnceAndSigned) {
  create_endpoint("/a");
  const std::string id = installation_.insert({.paths = {"/a"}}).at(0);

  ASSERT_TRUE(receiver_.wait_for_requests(1, kPatience)) << serve_->errors();
  const Json delivery = delivery_in_state(id, "delivered");
  EXPECT_EQ(std::vector<int>{200}, status_codes(delivery));
  EXPECT_EQ(1, delivery.at("generation"));
  EXPECT_EQ(id, delivery.at("event_id").get<std::string>());

  const Ledger ledger = receiver_.ledger();
  ASSERT_EQ(1U, ledger.requests());
  const LedgerEntry& request = ledger.entries().front();
  EXPECT_EQ("POST", request.method);
  EXPECT_EQ(id, request.header("webhook-id"));
  EXPECT_EQ("application/json", request.header("content-type"));
  EXPECT_TRUE(request.header("webhook-signature").starts_with("v1,"));
  EXPECT_EQ(Findings{}, find_violations(installation_.committed(), ledger, installation_.stored()));
}

TEST_F(DeliveryE2eTest, KeepsToTheEndpointsRateLimit) {
  create_endpoint("/slowly", {{"rate_limit_per_second", 50}});
  create_endpoint("/freely");
  installation_.insert({.count = 26, .paths = {"/slowly", "/freely"}});
  ASSERT_TRUE(receiver_.wait_for_requests(52, kPatience)) << serve_->errors();
  std::vector<MonotonicTime> starts;
  const Ledger ledger = receiver_.ledger();
  for (const LedgerEntry& entry : ledger.entries()) {
    if (entry.path == "/slowly") starts.push_back(entry.began_at);
  }
  ASSERT_EQ(26U, starts.size());
  // 25 spaces of 20 ms; up to 10 ms may be caught up with.
  EXPECT_GE(starts.back() - starts.front(), 490ms - 20ms) << "20 ms for the way to the receiver";
}

TEST_F(DeliveryE2eTest, TriesAgainBySchedule) {
  receiver_.on("/flaky", {{.status = 503, .body = "later"}, {.status = 503}, {.status = 200}});
  create_endpoint("/flaky", quick_retry({0.05, 0.1}));
  const std::string id = installation_.insert({.paths = {"/flaky"}}).at(0);

  const Json delivery = delivery_in_state(id, "delivered");
  EXPECT_EQ((std::vector<int>{503, 503, 200}), status_codes(delivery));
  EXPECT_EQ("later", delivery.at("attempts")[0].at("response_body"));

  const Ledger ledger = receiver_.ledger();
  ASSERT_EQ(3U, ledger.requests());
  const auto& requests = ledger.entries();
  // From the end of one attempt to the start of the next, as the receiver saw both: never early.
  const std::vector<Milliseconds> delays{50ms, 100ms};
  for (const std::size_t i : {0U, 1U}) {
    const auto gap = requests[i + 1].began_at - requests[i].answered_at;
    EXPECT_GE(gap, delays[i]) << "attempt " << i + 2 << " came too early";
    EXPECT_LE(gap, delays[i] + 2s) << "attempt " << i + 2 << " came too late";
    EXPECT_EQ(requests[0].header("webhook-id"), requests[i + 1].header("webhook-id"));
    EXPECT_EQ(requests[0].header("idempotency-key"), requests[i + 1].header("idempotency-key"));
  }
}

TEST_F(DeliveryE2eTest, TriesAgainAfterEveryKindOfBrokenConnection) {
  receiver_.on("/broken", {{.kind = Answer::Kind::close}, {.kind = Answer::Kind::reset}, {}});
  create_endpoint("/broken", quick_retry({0.05, 0.05}));
  const std::string id = installation_.insert({.paths = {"/broken"}}).at(0);

  const Json attempts = delivery_in_state(id, "delivered").at("attempts");
  ASSERT_EQ(3U, attempts.size());
  EXPECT_EQ("connection_lost", attempts[0].at("error"));
  EXPECT_EQ("connection_lost", attempts[1].at("error"));
  EXPECT_EQ(3U, receiver_.requests()) << "an attempt is one request";
}

TEST_F(DeliveryE2eTest, DeadLettersAfterTheLastAttemptAndReplaysUnderANewKey) {
  receiver_.on("/down", {{.status = 500}, {.status = 502}, {.status = 503}, {.status = 200}});
  create_endpoint("/down", quick_retry({0.05, 0.05}));
  const std::string id = installation_.insert({}).at(0);

  const Json failed = delivery_in_state(id, "failed");
  EXPECT_EQ("attempts_exhausted", failed.at("reason"));
  EXPECT_EQ((std::vector<int>{500, 502, 503}), status_codes(failed));
  const std::string letter = failed.at("id");
  const Json letters = api_.read("/v1/dead-letters").at("data");
  ASSERT_EQ(1U, letters.size());
  EXPECT_EQ(letter, letters[0].at("id").get<std::string>());
  ASSERT_EQ(3U, receiver_.requests());

  api_.make("/v1/dead-letters/" + letter + "/replay");
  const Json delivered = delivery_in_state(id, "delivered");
  EXPECT_EQ(2, delivered.at("generation"));
  EXPECT_EQ((std::vector<int>{500, 502, 503, 200}), status_codes(delivered));
  EXPECT_TRUE(api_.read("/v1/dead-letters").at("data").empty());

  const Ledger ledger = receiver_.ledger();
  ASSERT_EQ(4U, ledger.requests());
  for (const LedgerEntry& request : ledger.entries()) EXPECT_EQ(id, request.header("webhook-id"));
  for (const std::size_t i : {0U, 1U, 2U}) {
    EXPECT_EQ("wh_" + id + "-retry-1", ledger.entries()[i].header("idempotency-key"));
  }
  EXPECT_EQ("wh_" + id + "-retry-2", ledger.entries()[3].header("idempotency-key"));
}

TEST_F(DeliveryE2eTest, SendsNothingForATransactionThatRolledBack) {
  create_endpoint("/a");
  struct RollBack {};
  const auto insert_and_roll_back = [&] {
    installation_.sql().transaction({}, [](PgTransaction& transaction) {
      transaction.run_once(
          "INSERT INTO sealpost.outbox (type, payload) VALUES ('never.happened', '{}')");
      throw RollBack{};
    });
  };
  EXPECT_THROW(insert_and_roll_back(), RollBack);
  // Committed later, so whatever the first one left behind would have been sent before it.
  const std::string marker = installation_.insert({.paths = {"/a"}}).at(0);

  delivery_in_state(marker, "delivered");
  EXPECT_EQ(1U, receiver_.requests());
  EXPECT_EQ(Findings{},
            find_violations(installation_.committed(), receiver_.ledger(), installation_.stored()));
}

TEST_F(DeliveryE2eTest, FansOutByTenantAndPattern) {
  const auto subscribe = [&](const std::string& path, const std::string& tenant,
                             const Json& patterns) {
    create_endpoint(path, {{"tenant", tenant}, {"enabled_events", patterns}});
  };
  subscribe("/exact", "acme", {"invoice.paid"});
  subscribe("/prefix", "acme", {"invoice.*"});
  subscribe("/all", "acme", {"*"});
  subscribe("/twice", "acme", {"invoice.paid", "invoice.*", "*"});
  subscribe("/other-type", "acme", {"order.*"});
  subscribe("/other-tenant", "globex", {"*"});

  installation_.insert(
      {.tenant = "acme", .type = "invoice.paid", .paths = {"/exact", "/prefix", "/all", "/twice"}});
  installation_.insert(
      {.tenant = "acme", .type = "invoice.line.added", .paths = {"/prefix", "/all", "/twice"}});
  installation_.insert({.tenant = "acme", .type = "invoice", .paths = {"/all", "/twice"}});
  installation_.insert({.tenant = "acme", .type = "invoiced.paid", .paths = {"/all", "/twice"}});
  installation_.insert({.tenant = "initech", .type = "invoice.paid", .paths = {}});

  ASSERT_TRUE(receiver_.wait_for_requests(11, kPatience));
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience));
  EXPECT_EQ(11U, receiver_.requests());
  EXPECT_EQ(Findings{},
            find_violations(installation_.committed(), receiver_.ledger(), installation_.stored()));
}

TEST_F(DeliveryE2eTest, KeepsThePayloadByteForByte) {
  create_endpoint("/raw", {{"envelope", "raw"}});
  const std::string payload = "{ \"b\":1.0,  \"a\" : \"\xC3\xA4\\u00e4 \\/\", \"b\": 1e400 }";
  installation_.sql().query_once(
      "INSERT INTO sealpost.outbox (type, payload) VALUES ('odd.json', $1::json)",
      PgParameters().add(payload));
  ASSERT_TRUE(receiver_.wait_for_requests(1, kPatience));
  EXPECT_EQ(payload, receiver_.ledger().entries().front().body);
}

}  // namespace
}  // namespace sealpost
