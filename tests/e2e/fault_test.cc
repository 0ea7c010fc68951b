// What is promised when things break: several dispatchers, kill -9, a crash of PostgreSQL, SIGTERM.
// 10,000 events for two endpoints each; the bounds are those of the README's promise.
#include <gtest/gtest.h>

#include "core/storage_error.h"
#include "tests/e2e/load.h"
#include "tests/support/postgres_cluster.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;
constexpr int kEvents = 10'000;            // for two endpoints each: 20,000 deliveries
constexpr std::size_t kMidFlight = 6'000;  // accepted deliveries at which things break
constexpr auto kShortLease = 5s;           // the shortest that can be configured
const Environment kWithShortLease{{"SEALPOST_LEASE_SECONDS", "5"}};

class FaultE2eTest : public ::testing::Test {
 protected:
  FaultE2eTest() : load_(installation_) {}

  static MonotonicTime now() { return SystemClock().monotonic_now(); }

  void expect_exit_zero(SealpostProcess& process) {
    process.terminate();
    const auto exit = process.wait_exit(kPatience);
    ASSERT_TRUE(exit) << "still running\n" << process.errors();
    EXPECT_EQ(0, exit->code) << process.errors();
  }

  // Nothing lost, and duplicates within the bound; everything else as without a fault.
  void expect_bounded(std::size_t bound) {
    ASSERT_TRUE(load_.wait_until_all_accepted(kPatience)) << load_.findings();
    ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << load_.findings();
    const Findings findings = load_.findings();
    RecordProperty("duplicated", static_cast<int>(findings.duplicated));
    std::cout << "after the fault: " << findings << '\n';
    EXPECT_LE(findings.duplicated, bound) << findings;
    EXPECT_LE(findings.unrecorded, bound) << findings;
    Findings others = findings;
    others.duplicated = others.unrecorded = 0;
    EXPECT_EQ(Findings{}, others);
  }

  Installation installation_;
  Load load_;
};

TEST_F(FaultE2eTest, TwoDispatchersShareTheWorkWithoutADuplicate) {
  const auto first = load_.start_dispatcher("first");
  const auto second = load_.start_dispatcher("second");
  load_.insert(kEvents);
  expect_bounded(0);

  const PgRows shares = installation_.sql().query_once(
      "SELECT count(*) FROM sealpost.attempts GROUP BY epoch ORDER BY 1");
  ASSERT_EQ(2, shares.size()) << "only one of them did anything";
  // 16 endpoints by hashing: one in 65,000 runs gives all to one dispatcher, 2 % give it 13 or
  // more.
  EXPECT_GE(shares.number(0, 0), 2 * kEvents / 16) << "one had not even one endpoint";
  expect_exit_zero(*first);
  expect_exit_zero(*second);
}

TEST_F(FaultE2eTest, KilledAndRestartedUnderTheSameNameLosesNothing) {
  load_.insert(kEvents);
  auto dispatcher = load_.start_dispatcher("only");
  ASSERT_TRUE(load_.wait_for_accepted(kMidFlight, kPatience)) << dispatcher->errors();
  dispatcher->kill_hard();
  ASSERT_TRUE(dispatcher->wait_exit(kPatience));
  const auto orphans = load_.leased_events();
  ASSERT_FALSE(orphans.empty()) << "it was not in mid-flight";

  const MonotonicTime restarted_at = now();
  dispatcher = load_.start_dispatcher("only");
  expect_bounded(kLoadInFlight);
  const auto moving_at = load_.first_request_for(orphans, restarted_at);
  ASSERT_TRUE(moving_at);
  EXPECT_LE(*moving_at - restarted_at, 5s) << "a restarted process takes its leases over at once";
  expect_exit_zero(*dispatcher);
}

TEST_F(FaultE2eTest, AnotherDispatcherTakesOverWithinTheLease) {
  const auto killed = load_.start_dispatcher("killed", kWithShortLease);
  const auto survivor = load_.start_dispatcher("survivor", kWithShortLease);
  load_.insert(kEvents);
  ASSERT_TRUE(load_.wait_for_accepted(kMidFlight, kPatience)) << survivor->errors();
  killed->kill_hard();
  ASSERT_TRUE(killed->wait_exit(kPatience));
  const MonotonicTime killed_at = now();
  const PgRows rows = installation_.sql().query_once(
      "SELECT DISTINCT d.event_id FROM sealpost.deliveries d JOIN sealpost.dispatchers p "
      "ON p.epoch = d.lease_epoch WHERE p.instance = 'killed'");
  std::set<std::string> orphans;
  for (int row = 0; row < rows.size(); ++row) orphans.insert(rows.text(row, 0));
  ASSERT_FALSE(orphans.empty()) << "it was not in mid-flight";

  expect_bounded(kLoadInFlight);
  const auto moving_at = load_.first_request_for(orphans, killed_at);
  ASSERT_TRUE(moving_at);
  // The survivor looks at the others' leases six times per lease.
  EXPECT_LE(*moving_at - killed_at, kShortLease + kShortLease / 6 + 1s);
  expect_exit_zero(*survivor);
}

TEST_F(FaultE2eTest, SendsWhatWasInFlightAtAKillAgainUnderTheSameIds) {
  const std::vector<Answer> held{{.kind = Answer::Kind::hold}};
  load_.receiver().on("/tenant-0/a", held);
  load_.receiver().on("/tenant-0/b", held);
  auto dispatcher = load_.start_dispatcher("only");
  load_.insert(20);
  ASSERT_TRUE(load_.receiver().wait_for_held(40, kPatience)) << dispatcher->errors();
  dispatcher->kill_hard();
  ASSERT_TRUE(dispatcher->wait_exit(kPatience));
  load_.receiver().release_held();

  dispatcher = load_.start_dispatcher("only");
  ASSERT_TRUE(load_.wait_until_all_accepted(kPatience)) << load_.findings();
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience));
  std::map<std::string, int> requests;
  const Ledger ledger = load_.receiver().ledger();
  for (const LedgerEntry& entry : ledger.entries()) ++requests[delivery_key(entry)];
  EXPECT_EQ(40U, requests.size()) << "some were sent under another key";
  for (const auto& [key, times] : requests) EXPECT_EQ(2, times) << key;
  EXPECT_EQ((Findings{.unrecorded = 40}), load_.findings())
      << "the killed process could not record";
}

TEST_F(FaultE2eTest, SurvivesACrashOfPostgres) {
  load_.insert(kEvents);
  const auto dispatcher = load_.start_dispatcher("only");
  ASSERT_TRUE(load_.wait_for_accepted(kMidFlight, kPatience)) << dispatcher->errors();
  PostgresCluster::shared().restart_immediate();
  ASSERT_TRUE(eventually(kPatience, [&] {
    try {
      return installation_.count("SELECT 1") == 1;
    } catch (const StorageError&) {
      return false;
    }
  }));
  load_.insert(1'000);
  expect_bounded(kLoadInFlight);
  expect_exit_zero(*dispatcher);
}

TEST_F(FaultE2eTest, SigtermUnderLoadLosesAndRepeatsNothing) {
  load_.insert(kEvents);
  auto dispatcher = load_.start_dispatcher("only");
  ASSERT_TRUE(load_.wait_for_accepted(kMidFlight, kPatience)) << dispatcher->errors();
  expect_exit_zero(*dispatcher);
  const Stored at_stop = installation_.stored();
  EXPECT_EQ(0U, at_stop.leased);
  EXPECT_GT(at_stop.unfinished, 0U) << "it was not under load any more";
  const std::size_t recorded =
      static_cast<std::size_t>(installation_.count("SELECT count(*) FROM sealpost.attempts"));
  EXPECT_EQ(load_.receiver().requests(), recorded) << "every request has its record";

  dispatcher = load_.start_dispatcher("only");
  expect_bounded(0);
  expect_exit_zero(*dispatcher);
}

TEST_F(FaultE2eTest, SigtermWaitsForRequestsInFlightAndStartsNoMore) {
  const std::vector<Answer> held{{.kind = Answer::Kind::hold}};
  load_.receiver().on("/tenant-0/a", held);
  load_.receiver().on("/tenant-0/b", held);
  const auto dispatcher = load_.start_dispatcher("only");
  load_.insert(250);  // more than may be in flight at once
  ASSERT_TRUE(load_.receiver().wait_for_held(40, kPatience)) << dispatcher->errors();
  dispatcher->terminate();
  ASSERT_TRUE(dispatcher->wait_for_log("dispatcher.draining", kPatience));
  EXPECT_FALSE(dispatcher->wait_exit(1s)) << "it did not wait for the requests in flight";
  const std::size_t in_flight = load_.receiver().requests();
  EXPECT_LE(in_flight, kLoadInFlight);
  load_.receiver().release_held();
  const auto exit = dispatcher->wait_exit(kPatience);
  ASSERT_TRUE(exit) << dispatcher->errors();
  EXPECT_EQ(0, exit->code) << dispatcher->errors();

  EXPECT_EQ(in_flight, load_.receiver().requests()) << "it started requests while it drained";
  const Stored stored = installation_.stored();
  EXPECT_EQ(in_flight, stored.finals.size()) << "a result was not written";
  EXPECT_EQ(500U - in_flight, stored.unfinished);
  EXPECT_EQ(0U, stored.leased) << "the rest was not given back";
  EXPECT_EQ(0, installation_.count("SELECT count(*) FROM sealpost.dispatchers"));
}

}  // namespace
}  // namespace sealpost
