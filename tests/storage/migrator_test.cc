#include "storage/migrator.h"

#include <thread>

#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class MigratorTest : public testing::Test {
 protected:
  const DatabaseOptions options_{.url = PostgresCluster::shared().create_empty_database()};
  // The real first file, because partitions are made with its functions, and two more.
  const std::vector<Migration> three_ = {embedded_migrations().at(0),
                                         {2, "second", "CREATE TABLE sealpost.a (x int)"},
                                         {3, "third", "CREATE TABLE sealpost.b (x int)"}};
};

TEST_F(MigratorTest, AppliesEverythingOnce) {
  Migrator migrator(options_);
  EXPECT_THAT(migrator.check_schema().problem, HasSubstr("sealpost migrate"));
  EXPECT_THAT(migrator.plan(), HasSubstr("CREATE TABLE sealpost.outbox"));
  const ApplyResult first = migrator.apply();
  EXPECT_THAT(first.applied, SizeIs(migrator.required_version()));
  EXPECT_THAT(first.partitions, SizeIs(20))
      << "yesterday, today and three days ahead, of four tables";
  EXPECT_TRUE(migrator.check_schema().ok);
  EXPECT_THAT(migrator.plan(), IsEmpty());
  const ApplyResult second = migrator.apply();
  EXPECT_THAT(second.applied, IsEmpty());
  EXPECT_THAT(second.partitions, IsEmpty());
}

TEST_F(MigratorTest, DeliveryBatchesAreCompressedByLz4WhereTheServerHasIt) {
  Migrator(options_).apply();
  PgSession session(options_);
  const PgRows rows = session.query_once(
      "SELECT count(*) FILTER (WHERE attcompression = 'l')::int,"
      " (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression')"
      " FROM pg_attribute WHERE attrelid = 'sealpost.delivery_batches'::regclass");
  EXPECT_EQ(rows.number(0, 0), rows.flag(0, 1) ? 4 : 0);
}

TEST_F(MigratorTest, SeveralAtOnceApplyEachFileOnce) {
  std::vector<std::size_t> applied(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < applied.size(); ++i) {
    threads.emplace_back(
        [&, i] { applied[i] = Migrator(options_, three_).apply().applied.size(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(applied[0] + applied[1] + applied[2] + applied[3], 3u);
}

TEST_F(MigratorTest, RefusesAFileThatChangedAfterItWasApplied) {
  Migrator(options_, three_).apply();
  std::vector<Migration> changed = three_;
  changed[1].sql = "CREATE TABLE sealpost.other (x int)";
  Migrator migrator(options_, changed);
  EXPECT_FALSE(migrator.status()[0].changed_since);
  EXPECT_TRUE(migrator.status()[1].changed_since);
  try {
    migrator.apply();
    FAIL() << "applied a changed file";
  } catch (const MigrationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("0002_second"));
    EXPECT_THAT(error.what(), HasSubstr("new migration"));
  }
}

TEST_F(MigratorTest, AFailingFileLeavesTheOnesBeforeIt) {
  std::vector<Migration> broken = three_;
  broken[2].sql = "CREATE TABLE sealpost.b (x int); SELECT 1 / 0";
  EXPECT_THROW(Migrator(options_, broken).apply(), StorageError);
  const auto states = Migrator(options_, three_).status();
  ASSERT_THAT(states, SizeIs(3));
  EXPECT_TRUE(states[1].applied_at);
  EXPECT_FALSE(states[2].applied_at);
  EXPECT_THAT(Migrator(options_, three_).apply().applied, testing::ElementsAre("0003_third"));
}

TEST_F(MigratorTest, ServesFromANewerDatabaseAndSaysSo) {
  Migrator(options_, three_).apply();
  Migrator older(options_, {three_[0], three_[1]});
  EXPECT_TRUE(older.check_schema().ok);
  EXPECT_THAT(older.apply().note, HasSubstr("newer"));
  EXPECT_TRUE(older.status()[2].unknown);
}

TEST_F(MigratorTest, TellsAnOlderDatabaseFromAnEmptyOne) {
  Migrator(options_, {three_[0]}).apply();
  EXPECT_THAT(Migrator(options_, three_).check_schema().problem,
              HasSubstr("version 1, this binary needs 3"));
}

}  // namespace
}  // namespace sealpost
