#include "storage/pg_maintenance.h"

#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class MaintenanceTest : public StorageTest {
 protected:
  // "2026_11_22", so many days from today by UTC.
  std::string day(int offset) {
    return value("SELECT to_char((now() AT TIME ZONE 'UTC')::date + " + std::to_string(offset) +
                 ", 'YYYY_MM_DD')");
  }
  void make_partition(const std::string& parent, const std::string& prefix, int offset) {
    ASSERT_EQ(value("SELECT sealpost.add_partition('" + parent + "', '" + prefix +
                    "', (now() AT TIME ZONE 'UTC')::date + " + std::to_string(offset) + ")"),
              "created");
  }
  std::string id_of_day(const std::string& prefix, int offset) {
    return value("SELECT sealpost.first_id('" + prefix + "', (now() AT TIME ZONE 'UTC')::date + " +
                 std::to_string(offset) + ") || '0000000000000001'");
  }
  void insert_event_with_id(const std::string& id) {
    run("INSERT INTO sealpost.outbox (id, tenant, type, payload) VALUES ('" + id +
        "', 'acme', 'a', '{}')");
  }
  PgMaintenance maintenance_{options_};
  const RetentionOptions options_30_{};
};

TEST_F(MaintenanceTest, MakesPartitionsAheadOnce) {
  run("DROP TABLE sealpost.other_attempts_" + day(1));
  const RetentionOptions ahead{.days_ahead = 5};
  EXPECT_THAT(maintenance_.run(ahead).created, SizeIs(9))
      << "two days of four tables, and the dropped one";
  EXPECT_THAT(maintenance_.run(ahead).created, IsEmpty());
}

TEST_F(MaintenanceTest, MovesRowsOutOfTheDefaultPartition) {
  const std::string id = id_of_day("evt_", -5);
  insert_event_with_id(id);
  EXPECT_EQ(count("sealpost.outbox_default"), 1);
  EXPECT_THAT(maintenance_.run(options_30_).created, Contains("outbox_" + day(-5)));
  EXPECT_EQ(count("sealpost.outbox_default"), 0);
  EXPECT_EQ(count("sealpost.outbox_" + day(-5)), 1);
  EXPECT_EQ(count("sealpost.intake"), 1) << "moving is not inserting";
}

TEST_F(MaintenanceTest, APartitionIsLikeItsParent) {
  make_partition("outbox", "evt_", 10);
  make_partition("delivery_history", "dlv_", 10);
  make_partition("response_payloads", "dlv_", 10);
  make_partition("other_attempts", "dlv_", 10);
  const auto indexes = [&](const std::string& table) {
    return count("pg_index WHERE indrelid = 'sealpost." + table + "'::regclass");
  };
  EXPECT_EQ(indexes("outbox_" + day(10)), 1) << "attached, not doubled";
  EXPECT_EQ(indexes("delivery_history_" + day(10)), 3);
  EXPECT_EQ(indexes("response_payloads_" + day(10)), 1);
  EXPECT_EQ(indexes("other_attempts_" + day(10)), 1);
  EXPECT_EQ(count("pg_trigger WHERE tgrelid = 'sealpost.outbox_" + day(10) + "'::regclass"), 1)
      << "accept_event, and not the one of the default partition";
}

TEST_F(MaintenanceTest, ProducersGoOnWhileAPartitionIsMade) {
  PgSession producer(options_);
  producer.transaction({}, [&](PgTransaction& transaction) {
    transaction.run_once("INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')");
    make_partition("outbox", "evt_", 20);
    transaction.run_once("INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')");
  });
  EXPECT_EQ(count("sealpost.outbox"), 2);
}

TEST_F(MaintenanceTest, DropsWhatIsPastRetention) {
  make_partition("outbox", "evt_", -40);
  make_partition("other_attempts", "dlv_", -31);
  make_partition("other_attempts", "dlv_", -30);
  const MaintenanceReport report = maintenance_.run(options_30_);
  EXPECT_THAT(report.dropped,
              testing::ElementsAre("outbox_" + day(-40), "other_attempts_" + day(-31)));
  EXPECT_EQ(value("SELECT to_regclass('sealpost.other_attempts_" + day(-30) + "') IS NOT NULL"),
            "t");
}

TEST_F(MaintenanceTest, KeepsEventsThatWaitAreLiveOrDeadLettered) {
  add_endpoint("acme", {"*"});
  const Epoch epoch = start_dispatcher("one");
  make_partition("outbox", "evt_", -40);
  insert_event_with_id(id_of_day("evt_", -40));
  const auto kept = testing::ElementsAre("outbox_" + day(-40));
  EXPECT_THAT(maintenance_.run(options_30_).kept, kept) << "not fanned out";
  const auto leased = take_in(epoch);
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_THAT(maintenance_.run(options_30_).kept, kept) << "being delivered";
  finish(leased[0], {.next = GiveUp{FailureReason::gone}});
  EXPECT_THAT(maintenance_.run(options_30_).kept, kept) << "a dead letter";
  history_.discard_dead_letter(std::nullopt, leased[0].id);
  EXPECT_THAT(maintenance_.run(options_30_).dropped, kept);
}

TEST_F(MaintenanceTest, AnOpenProducerTransactionDelaysADropAndNothingElse) {
  make_partition("outbox", "evt_", -40);
  PgSession producer(options_);
  producer.transaction({}, [&](PgTransaction& transaction) {
    transaction.run_once("INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')");
    const MaintenanceReport report = maintenance_.run({.days_ahead = 4});
    EXPECT_THAT(report.dropped, IsEmpty());
    EXPECT_THAT(report.created, Contains("outbox_" + day(4)));
  });
  EXPECT_THAT(maintenance_.run(options_30_).dropped, SizeIs(1));
}

TEST_F(MaintenanceTest, DeletesOldRowsFromDefaultPartitions) {
  const std::string id = id_of_day("dlv_", -100);
  for (const std::string age : {"90 days", "1 day"}) {
    run("INSERT INTO sealpost.delivery_history (id, seq, event_id, endpoint_id, state, generation, "
        "attempts, "
        "created_at, finished_at) VALUES ('" +
        id + age.substr(0, 1) +
        "', 1, 'e', 'w', 'skipped', 1, 0, "
        "now() - interval '100 days', now() - interval '" +
        age + "')");
  }
  run("INSERT INTO sealpost.outbox_default (id, type, payload) VALUES ('" + id_of_day("evt_", -29) +
      "', 'a', '{}')");
  maintenance_.run({.retention = std::chrono::days(20)});
  EXPECT_EQ(count("sealpost.outbox_default"), 1) << "it waits in intake";
  run("DELETE FROM sealpost.intake");
  maintenance_.run({.retention = std::chrono::days(20)});
  EXPECT_EQ(count("sealpost.outbox_default"), 0) << "nothing refers to it";
  EXPECT_EQ(count("sealpost.delivery_history_default"), 1)
      << "what ended lately stays, however old it is";
}

TEST_F(MaintenanceTest, IsBusyWhileAnotherMaintains) {
  PgSession other(options_);
  other.transaction({.try_lock = 0x73706f7374000003}, [&](PgTransaction&) {
    const MaintenanceReport report = maintenance_.run(options_30_);
    EXPECT_TRUE(report.busy);
    EXPECT_THAT(report.created, IsEmpty());
  });
  EXPECT_FALSE(maintenance_.run(options_30_).busy);
}

}  // namespace
}  // namespace sealpost
