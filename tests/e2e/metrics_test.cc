// Metrics tell the truth: at rest the counters say what the receiver's ledger says.
#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 30s;

// 503 to the first request of each event, 200 to the others.
Behavior fails_once() {
  return [seen = std::set<std::string>()](const LedgerEntry& entry) mutable {
    return Answer{.status = seen.insert(entry.header("webhook-id")).second ? 503 : 200};
  };
}

TEST(MetricsE2eTest, CountersAgreeWithTheLedger) {
  Installation installation;
  Receiver receiver;
  receiver.on("/once", fails_once());
  receiver.on("/bad", {{.status = 500}});
  const auto serve = installation.start("serve");
  ApiClient api = installation.api(*serve);
  for (const std::string name : {"good", "once", "bad"}) {
    Json more = quick_retry({0.05});
    more["tenant"] = name;
    api.make("/v1/webhook-endpoints", endpoint_body(receiver.url("/" + name), more));
  }
  installation.insert({.tenant = "good", .count = 100, .paths = {"/good"}});
  installation.insert({.tenant = "once", .count = 50, .paths = {"/once"}});
  installation.insert({.tenant = "bad", .count = 30, .paths = {"/bad"}});
  ASSERT_TRUE(receiver.wait_for_requests(100 + 2 * 50 + 2 * 30, kPatience)) << serve->errors();
  ASSERT_TRUE(installation.wait_until_at_rest(kPatience));

  std::map<int, int> answers;
  const Ledger ledger = receiver.ledger();
  for (const LedgerEntry& entry : ledger.entries()) ++answers[*entry.status];
  ASSERT_EQ((std::map<int, int>{{200, 150}, {500, 60}, {503, 50}}), answers);

  const std::map<std::string, double> expected{
      {"sealpost_events_taken_total", 180},
      {"sealpost_deliveries_created_total", 180},
      {"sealpost_attempts_total{outcome=\"success\"}", 150},
      {"sealpost_attempts_total{outcome=\"http_error\"}", 110},
      {"sealpost_attempts_total{outcome=\"timeout\"}", 0},
      {"sealpost_attempt_responses_total{class=\"2xx\"}", 150},
      {"sealpost_attempt_responses_total{class=\"5xx\"}", 110},
      {"sealpost_decisions_total{next=\"delivered\"}", 150},
      {"sealpost_decisions_total{next=\"retry\"}", 80},
      {"sealpost_decisions_total{next=\"dead_letter\"}", 30},
      {"sealpost_attempt_duration_seconds_count", 260},
      {"sealpost_orphan_results_total", 0},
      {"sealpost_attempts_in_flight", 0},
      {"sealpost_queued_deliveries", 0},
      {"sealpost_unfinished_results", 0},
      {"sealpost_lease_held", 1},
      {"sealpost_db_up", 1},
  };
  // The database is at rest a moment before the process has heard of its last COMMIT.
  ASSERT_TRUE(eventually(kPatience, [&] {
    return read_metrics(serve->metrics_port()).at("sealpost_unfinished_results") == 0;
  }));
  const auto metrics = read_metrics(serve->metrics_port());
  for (const auto& [series, value] : expected) {
    ASSERT_TRUE(metrics.contains(series)) << series;
    EXPECT_EQ(value, metrics.at(series)) << series;
  }
}

}  // namespace
}  // namespace sealpost
