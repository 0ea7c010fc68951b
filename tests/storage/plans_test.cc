// Hot statements go through indexes although the statistics say that the tables are empty: the
// state in which a queue is analyzed most of the time, while it holds many rows, live or dead, a
// moment later.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "storage/pg_delivery_batches.h"
#include "storage/pg_statements.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::HasSubstr;
using testing::Not;

class PlansTest : public StorageTest {
 protected:
  PlansTest() {
    run("ALTER TABLE sealpost.intake SET (autovacuum_enabled = off)");
    run("ALTER TABLE sealpost.delivery_rows SET (autovacuum_enabled = off)");
    run("ANALYZE");
    run("INSERT INTO sealpost.intake (event_id, tenant, type) "
        "SELECT 'evt_' || i, 'acme', 'a' FROM generate_series(1, 200000) i");
  }
  void fill_deliveries() {
    run("INSERT INTO sealpost.delivery_rows (id, seq, event_id, endpoint_id, next_attempt_at, "
        "created_at) "
        "SELECT 'dlv_' || seq, seq, event_id, 'we_' || seq % 64, now(), now() FROM "
        "sealpost.intake");
    run("DELETE FROM sealpost.delivery_rows WHERE seq % 2 = 0");
  }

  // The generic plan, which is what the stores use.
  std::string plan(const PgStatement& statement, const std::string& arguments) {
    return sql_.transaction(kHotTransaction, [&](PgTransaction& transaction) {
      transaction.run_script("PREPARE explained AS " + std::string(statement.sql));
      const PgRows lines =
          transaction.run_script("EXPLAIN (COSTS OFF) EXECUTE explained(" + arguments + ")");
      std::string text;
      for (int i = 0; i < lines.size(); ++i) text += lines.text(i, 0) + "\n";
      transaction.run_script("DEALLOCATE explained");
      return text;
    });
  }

  static std::string nulls(int n) {
    std::string list = "NULL";
    for (int i = 1; i < n; ++i) list += ", NULL";
    return list;
  }
};

TEST_F(PlansTest, NoHotStatementReadsAWholeTable) {
  fill_deliveries();
  const std::vector<std::pair<PgStatement, int>> statements = {
      {kIntakeStatement, 11},         {kPickUpStatement, 4},   {kClaimStatement, 4},
      {kFinishStatement, 30},         {kOrphansStatement, 22}, {kGiveRowsStatement, 6},
      {kReleaseStatement, 2},         {kSkipStatement, 2},     {kFailStatement, 3},
      {kResponsePayloadsStatement, 5}};
  for (const auto& [statement, parameters] : statements) {
    const std::string text = plan(statement, nulls(parameters));
    EXPECT_THAT(text, Not(HasSubstr("Seq Scan"))) << statement.name;
    EXPECT_THAT(text, Not(HasSubstr("Bitmap"))) << statement.name;
    EXPECT_THAT(text, Not(HasSubstr("Merge Join"))) << statement.name;
    EXPECT_THAT(text, Not(HasSubstr("JIT"))) << statement.name;
    // An index scan without a condition reads the whole table as well.
    std::size_t at = 0;
    while ((at = text.find("Index Scan using", at)) != text.npos) {
      const std::string scan = text.substr(at, 400);
      EXPECT_THAT(scan, HasSubstr("Index Cond")) << statement.name << "\n" << scan;
      const std::size_t line_end = text.find('\n', at);
      EXPECT_EQ(text.find("Index Cond", line_end), text.find_first_not_of(" ", line_end + 1))
          << statement.name << "\n"
          << scan;
      at = line_end;
    }
  }
}

TEST_F(PlansTest, TheProbesReadNoDeadRows) {
  const auto pages_read = [&](const std::string& call) {
    const PgRows lines =
        sql_.query_once("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) " + call);
    std::string text;
    for (int i = 0; i < lines.size(); ++i) text += lines.text(i, 0) + "\n";
    const std::size_t at = text.find("shared hit=");
    return at == text.npos ? std::numeric_limits<int>::max() : std::stoi(text.substr(at + 11));
  };
  // A run that meets dead rows marks their index entries, and the runs after it skip them; not as
  // long as any snapshot of this database is older than their deletion, such as one of an
  // autovacuum worker that analyzes the catalog.
  const auto fewest_pages_read = [&](const std::string& call) {
    int fewest = std::numeric_limits<int>::max();
    for (int i = 0; i < 100 && fewest >= 20; ++i) fewest = std::min(fewest, pages_read(call));
    return fewest;
  };
  const auto probe = [](int from_position, int seen_to) {
    return fmt::format("SELECT first_event FROM sealpost.work_waits({}, {}, 1, '', 1000)",
                       from_position, seen_to);
  };
  // 200,000 dead rows are 1,100 pages.
  run("DELETE FROM sealpost.intake WHERE seq <= 199000");
  EXPECT_EQ(value(probe(1, 0)), "199001") << "who knows nothing learns how far others are";
  EXPECT_LT(fewest_pages_read(probe(1, 199'000)), 20)
      << "a backlog: the next one stands behind the last";
  run("DELETE FROM sealpost.intake");
  const std::string none = probe(200'001, 200'000);
  EXPECT_THAT(rows(none + " WHERE first_event IS NOT NULL"), testing::IsEmpty());
  EXPECT_LT(fewest_pages_read(none), 20);
}

}  // namespace
}  // namespace sealpost
