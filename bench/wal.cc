// How much WAL does a delivery cost, and how many SQL statements, beyond what its producer writes?
// 100,000 events of 1 KiB, each for one of 64 endpoints, are inserted while Sealpost does not run
// (the producer's part); then, from a checkpoint on, it drains them (its part: intake, finish,
// renewals, start, autovacuum). Prints one line of JSON, and on stderr where the bytes went.
//
//   build/release/bench/wal [--events N] [--rounds N] [--commit ID]
//
// Bytes are counted by WAL positions. The first change of a page after a checkpoint writes the
// whole page; how often that happens depends on how far apart checkpoints are, so bytes are given
// with and without full pages (pg_walinspect tells them apart; pg_stat_wal only counts them).
// Statements are counted by pg_stat_statements, which sees every round trip, BEGIN and COMMIT
// included; pg_stat_database counts transactions only. Afterwards every delivery must be recorded
// exactly once.
//
// There is no baseline: these are counts, not times, and a busy machine hardly changes them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/figures.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/temporary_directory.h"
#include "bench/wait_for.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

// One round, per event or delivery.
struct Cost {
  double producer_bytes = 0;
  double bytes = 0;
  double full_page_bytes = 0;
  double records = 0;
  double statements = 0;
};

struct Bench {
  Bench(const std::filesystem::path& files, int number_of_events)
      : directory(files),
        postgres({"shared_preload_libraries = 'pg_stat_statements'"}),
        watcher(postgres.create_empty_database()),
        receiver(files / "nginx"),
        events(number_of_events) {
    watcher.run("CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pg_walinspect");
  }
  // Everything committed is flushed, so this is behind it.
  std::string position() { return watcher.value("SELECT pg_current_wal_flush_lsn()"); }
  double number(const std::string& sql) { return std::stod(watcher.value(sql)); }

  std::filesystem::path directory;
  DurablePostgres postgres;
  Database watcher;
  FastReceiver receiver;
  int events;
};

// What lies between two positions of the WAL.
struct Stretch {
  std::string begin, end;
  std::string size() const { return fmt::format("SELECT pg_wal_lsn_diff('{}', '{}')", end, begin); }
  std::string stats() const { return fmt::format("pg_get_wal_stats('{}', '{}')", begin, end); }
};

// Shows the rows of a question: a number, and what it is of.
void explain(Database& database, const std::string& what, const std::string& sql) {
  const Rows rows = database.run(sql);
  fmt::print(stderr, "{}:\n", what);
  for (int i = 0; i < rows.count(); ++i) {
    fmt::print(stderr, "  {:>10}  {}\n", rows.at(i, 0), rows.at(i, 1));
  }
}

// Partitions and their indexes are named after days, which say nothing here.
constexpr auto kBytesByRelation = R"sql(
SELECT round(sum(record_length - fpi_length)::numeric / {events}, 1),
       relation || ' ' || resource_manager || '/' || record_type
         || ' (' || round(count(*)::numeric / {events}, 2) || ' records)'
FROM (
  SELECT i.*, coalesce(regexp_replace(c.relname, '_\d{{4}}_\d\d_\d\d', ''), '-') AS relation
  FROM pg_get_wal_records_info('{begin}', '{end}') i
  LEFT JOIN pg_class c ON c.relfilenode = (regexp_match(block_ref, 'rel \d+/\d+/(\d+)'))[1]::oid) r
GROUP BY relation, resource_manager, record_type ORDER BY 1 DESC LIMIT 14)sql";

void explain(Bench& bench, Database& database, const Stretch& stretch,
             const std::string& statements) {
  explain(bench.watcher, "statements",
          "SELECT sum(calls), left(regexp_replace(query, '\\s+', ' ', 'g'), 70) " + statements +
              " GROUP BY 2 ORDER BY 1 DESC LIMIT 14");
  database.run("CREATE EXTENSION pg_walinspect");
  explain(database, "bytes per delivery, without full pages",
          fmt::format(kBytesByRelation, fmt::arg("events", bench.events),
                      fmt::arg("begin", stretch.begin), fmt::arg("end", stretch.end)));
}

// Starts Sealpost and waits until every event is delivered and recorded.
void drain(Bench& bench, MeasuredSealpost& sealpost) {
  const auto before = bench.receiver.requests();
  const auto answered = [&] { return bench.receiver.requests() - before; };
  const auto deadline =
      Monotonic::now() + std::chrono::seconds(60) + milliseconds(2 * bench.events);
  sealpost.installation().start();
  wait_for([&] { return answered() >= bench.events; }, milliseconds(10), deadline);
  wait_for([&] { return sealpost.is_settled(); }, milliseconds(5), deadline);
  if (answered() != bench.events) {
    throw std::runtime_error(fmt::format("{} requests for {} events", answered(), bench.events));
  }
}

Cost measure(Bench& bench) {
  MeasuredSealpost sealpost(bench.postgres, bench.directory / "sealpost",
                            endpoints_at(bench.receiver.urls()));
  sealpost.database().run("SET pg_stat_statements.track = 'none'");  // our own questions
  const auto per_event = [&](double count) { return count / bench.events; };

  Stretch producer{.begin = bench.position(), .end = ""};
  insert_events(sealpost.database(), {.count = bench.events,
                                      .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                                      .payload_sql = kPayloadSql});
  producer.end = bench.position();

  sealpost.database().run("VACUUM (ANALYZE) sealpost.outbox");
  bench.postgres.checkpoint();
  bench.watcher.run("SELECT pg_stat_statements_reset()");
  Stretch engine{.begin = bench.position(), .end = ""};
  drain(bench, sealpost);
  engine.end = bench.position();
  const auto statements = fmt::format(
      "FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = '{}')",
      sealpost.database().value("SELECT current_database()"));

  const Cost cost{
      .producer_bytes = per_event(bench.number(producer.size())),
      .bytes = per_event(bench.number(engine.size())),
      .full_page_bytes = per_event(bench.number("SELECT sum(fpi_size) FROM " + engine.stats())),
      .records = per_event(bench.number("SELECT sum(count) FROM " + engine.stats())),
      .statements = per_event(bench.number("SELECT sum(calls) " + statements))};
  explain(bench, sealpost.database(), engine, statements);
  sealpost.verify(bench.events);
  return cost;
}

std::string text(const Cost& cost) {
  return fmt::format(R"("bytes_without_full_pages": {:.0f}, "bytes": {:.0f}, "records": {:.2f}, )"
                     R"("statements": {:.4f}, "producer_bytes": {:.0f})",
                     cost.bytes - cost.full_page_bytes, cost.bytes, cost.records, cost.statements,
                     cost.producer_bytes);
}

double median_of(const std::vector<Cost>& costs, double Cost::*part) {
  std::vector<double> values;
  for (const Cost& cost : costs) values.push_back(cost.*part);
  return median(std::move(values));
}

int run(int events, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  Bench bench(directory.path(), events);
  std::vector<Cost> costs;
  std::string all;
  for (int i = 1; i <= rounds; ++i) {
    costs.push_back(measure(bench));
    const std::string round = text(costs.back());
    fmt::print(stderr, "round {} of {}: {}\n", i, rounds, round);
    all += fmt::format("{}{{{}}}", all.empty() ? "" : ", ", round);
  }
  const Cost middle{.producer_bytes = median_of(costs, &Cost::producer_bytes),
                    .bytes = median_of(costs, &Cost::bytes),
                    .full_page_bytes = median_of(costs, &Cost::full_page_bytes),
                    .records = median_of(costs, &Cost::records),
                    .statements = median_of(costs, &Cost::statements)};
  fmt::print("{}\n", report({.benchmark = "wal",
                             .parameters = fmt::format(R"("events": {}, "endpoints": {})", events,
                                                       kReceiverEndpoints),
                             .commit = commit},
                            fmt::format(R"({}, "rounds": [{}])", text(middle), all)));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  int events = 100'000;
  int rounds = 3;
  std::string commit = "unknown";
  CLI::App app("Counts WAL and statements per delivery.");
  app.add_option("--events", events)->check(CLI::Range(1'000, 1'000'000));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(events, rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "wal: {}\n", error.what());
    return 1;
  }
}
