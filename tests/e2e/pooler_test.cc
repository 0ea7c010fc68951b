// Everything through PgBouncer in transaction mode: migrate, admin-api, and two dispatchers under
// load, with more connections of ours than it has to PostgreSQL.
#include <gtest/gtest.h>

#include "tests/e2e/load.h"
#include "tests/support/pg_bouncer.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;
constexpr int kEvents = 10'000;  // for two endpoints each: 20,000 deliveries

class PoolerE2eTest : public ::testing::Test {
 protected:
  // A database that `sealpost migrate` filled through the pooler, and reaches only through it.
  void install(int server_connections) {
    installation_.sql().query_once("DROP SCHEMA sealpost CASCADE");
    pooler_.emplace(installation_.database_url(), server_connections);
    installation_.reach_database_by(pooler_->url());
    const CommandResult migrated =
        run_sealpost({.arguments = {"migrate"}, .environment = installation_.environment()});
    ASSERT_TRUE(migrated.succeeded()) << migrated.errors;
  }

  // The load, half of it inserted before two dispatchers start and half while they run.
  void expect_delivered_once() {
    Load load(installation_);
    load.insert(kEvents / 2);
    const auto first = load.start_dispatcher("first");
    const auto second = load.start_dispatcher("second");
    load.insert(kEvents / 2);
    EXPECT_TRUE(load.wait_until_all_accepted(kPatience)) << first->errors() << second->errors();
    ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << load.findings();
    EXPECT_EQ(Findings{}, load.findings());
    EXPECT_EQ(2, installation_.count("SELECT count(DISTINCT epoch) FROM sealpost.attempts"))
        << "only one of them did anything";
    connections_to_server_ = installation_.count(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
    expect_clean_end(*first);
    expect_clean_end(*second);
  }

  static void expect_clean_end(SealpostProcess& process) {
    process.terminate();
    const auto exit = process.wait_exit(kPatience);
    ASSERT_TRUE(exit) << "still running\n" << process.errors();
    EXPECT_EQ(0, exit->code) << process.errors();
    EXPECT_EQ(process.errors().npos, process.errors().find("store.unreachable"))
        << process.errors();
  }

  Installation installation_;
  std::optional<PgBouncer> pooler_;
  std::int64_t connections_to_server_ = 0;
};

TEST_F(PoolerE2eTest, TwoDispatchersDeliverEverythingOnce) {
  install(20);
  expect_delivered_once();
}

TEST_F(PoolerE2eTest, TwoServerConnectionsAreEnoughForAllOfThem) {
  install(2);
  expect_delivered_once();
  EXPECT_LE(connections_to_server_, 2);
  EXPECT_GE(pooler_->connections_made(), 8) << "that was no crowd";
}

}  // namespace
}  // namespace sealpost
