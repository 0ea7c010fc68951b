#include "storage/pg_session.h"

#include "storage/connection_url.h"
#include "storage/pg_errors.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = StorageError::Kind;

class SessionTest : public StorageTest {
 protected:
  Kind kind_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const StorageError& error) {
      return error.kind();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Kind::permanent;
  }
};

TEST_F(SessionTest, ReconnectsAfterTheServerRestarted) {
  EXPECT_EQ(value("SELECT 1"), "1");
  PostgresCluster::shared().restart_immediate();
  EXPECT_EQ(kind_of([&] { run("SELECT 1"); }), Kind::unavailable);
  EXPECT_EQ(value("SELECT 1"), "1");
}

TEST_F(SessionTest, ALostConnectionInATransactionIsUnavailableAndRollsBack) {
  PgSession killer(options_);
  EXPECT_EQ(
      kind_of([&] {
        sql_.transaction({}, [&](PgTransaction& transaction) {
          transaction.run_once("INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')");
          killer.query_once(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE datname = current_database() AND pid <> pg_backend_pid()");
          transaction.run_once("SELECT 1");
        });
      }),
      Kind::unavailable);
  EXPECT_EQ(count("sealpost.outbox"), 0);
}

TEST_F(SessionTest, AConnectionLostAtCommitIsInDoubt) {
  PgSession killer(options_);
  EXPECT_EQ(
      kind_of([&] {
        sql_.transaction({}, [&](PgTransaction& transaction) {
          transaction.run_once("INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')");
          killer.query_once(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE datname = current_database() AND pid <> pg_backend_pid()");
        });
      }),
      Kind::in_doubt);
}

TEST_F(SessionTest, TimeoutsAreUnavailableAndBugsArePermanent) {
  const PgTransactionOptions hasty{.statement_timeout = std::chrono::milliseconds(20)};
  EXPECT_EQ(kind_of([&] {
              sql_.transaction(hasty, [](PgTransaction& t) { t.run_once("SELECT pg_sleep(10)"); });
            }),
            Kind::unavailable);
  EXPECT_EQ(kind_of([&] { run("SELECT nonsense"); }), Kind::permanent);
  EXPECT_EQ(value("SELECT 1"), "1") << "the session goes on";
}

TEST_F(SessionTest, AFailureThatWorkHidesIsNotCommitted) {
  EXPECT_THROW(sql_.transaction({},
                                [](PgTransaction& t) {
                                  try {
                                    t.run_once("SELECT nonsense");
                                  } catch (const StorageError&) {
                                  }
                                }),
               std::logic_error);
  EXPECT_EQ(value("SELECT 1"), "1");
}

TEST_F(SessionTest, TheServerPlansAsTheEnvironmentOfTheTestSays) {
  EXPECT_EQ(value("SHOW plan_cache_mode"), PostgresCluster::plan_cache_mode());
}

TEST_F(SessionTest, SettingsEndWithTheTransaction) {
  sql_.transaction(kHotTransaction, [](PgTransaction& t) {
    EXPECT_EQ(t.run_once("SHOW enable_seqscan").text(0, 0), "off");
    EXPECT_EQ(t.run_once("SHOW jit").text(0, 0), "off");
    EXPECT_EQ(t.run_once("SHOW synchronous_commit").text(0, 0), "on");
  });
  EXPECT_EQ(value("SHOW enable_seqscan"), "on");
}

TEST(ConnectionErrorTest, NeverShowsAPassword) {
  for (const std::string url :
       {"postgresql://u:hunter2@host:port/db", "postgres//u:hunter2@host/db",
        "host=/nowhere password=hunter2 bad"}) {
    try {
      PgSession({.url = url}).query_once("SELECT 1");
      FAIL() << "connected";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.kind(), Kind::unavailable);
      EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
    }
  }
}

TEST(ConnectionUrlTest, AddsDefaultsThatTheUrlOverrides) {
  EXPECT_THAT(connection_string({.url = "postgresql://h/db"}),
              HasSubstr("/db?application_name=sealpost&"));
  const std::string uri = connection_string({.url = "postgresql://h/db?connect_timeout=9"});
  EXPECT_LT(uri.find("connect_timeout=5"), uri.find("connect_timeout=9"));
  EXPECT_THAT(connection_string({.url = "postgresql://u:a?b@h/db"}),
              HasSubstr("a?b@h/db?application_name"));
  EXPECT_THAT(connection_string({.url = "host=h"}), testing::EndsWith(" host=h"));
}

TEST(SqlStateTest, TellsWhatMayBeTriedAgain) {
  EXPECT_EQ(classify_sqlstate("57P01").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("57P03").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("08006").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("53100").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("55P03").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("25006").kind, Kind::unavailable);
  EXPECT_EQ(classify_sqlstate("40001").kind, Kind::conflict);
  EXPECT_EQ(classify_sqlstate("40P01").kind, Kind::conflict);
  EXPECT_EQ(classify_sqlstate("23505").kind, Kind::permanent);
  EXPECT_EQ(classify_sqlstate("42P01").kind, Kind::permanent);
}

}  // namespace
}  // namespace sealpost
