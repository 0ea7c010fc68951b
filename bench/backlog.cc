// Does a large backlog slow Sealpost down? Two installations take turns on one machine: in one
// 100,000 rows are pending, in the other 10 million; of each the rate of the same number of
// deliveries is measured (drain_window.h), with at least so many pending all the while. Prints one
// line of JSON; "sealpost" in it is the large backlog, "baseline" the small one.
//
//   build/release/bench/backlog --kind intake  events that were not fanned out yet
//                               --kind due     deliveries that wait for a free place and are due:
//                                              what an outage of all receivers leaves behind
//                               --kind later   deliveries that were tried and are due tomorrow;
//                                              what is drained are new events
//       [--pending N] [--window N] [--rounds N] [--commit ID]
//
// The databases live through all rounds; before each round what the one before delivered is
// replaced, so that both sides do that alike. 64 endpoints, payloads of 1 KiB, except those of
// pending events whose turn will not come: 10 GiB of them would say nothing. After each round
// Sealpost is stopped and everything is counted: a delivery that was lost, made twice or not
// recorded fails the benchmark.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/drain_window.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/temporary_directory.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

constexpr std::int64_t kSmall = 100'000;
constexpr auto kSmallPayloadSql = R"('{}'::json)";
constexpr auto kTomorrowSql = "now() + interval '1 day' + n * interval '1 microsecond'";
constexpr auto kLongDueSql = "now() - interval '1 day' + n * interval '1 microsecond'";

enum class Kind { intake, due, later };

Kind kind_of(const std::string& name) {
  if (name == "intake") return Kind::intake;
  return name == "due" ? Kind::due : Kind::later;
}

struct Bench {
  Bench(const std::filesystem::path& files, Kind kind_of_backlog, DrainWindow drained)
      : directory(files), receiver(files / "nginx"), kind(kind_of_backlog), window(drained) {}
  std::filesystem::path directory;
  DurablePostgres postgres;
  FastReceiver receiver;
  Kind kind;
  DrainWindow window;
};

// An installation in which so many rows are pending.
class Side {
 public:
  // Of the pending rows, `drainable` will be delivered in all rounds together.
  Side(Bench& bench, const std::string& name, std::int64_t pending, std::int64_t drainable)
      : bench_(bench),
        sealpost_(bench.postgres, bench.directory / name, endpoints_at(bench.receiver.urls())) {
    const std::int64_t full = bench.kind == Kind::later ? 0 : std::min(pending, drainable);
    add_pending(full, kPayloadSql);
    add_pending(pending - full, kSmallPayloadSql);
    tidy();
  }

  Measurement measure() {
    const int added = bench_.window.both();
    if (bench_.kind == Kind::later) {
      insert_events(sealpost_.database(), numbered(added, kPayloadSql));
    } else {
      add_pending(added, kPayloadSql);
    }
    tidy();
    bench_.postgres.checkpoint();
    const auto before = bench_.receiver.requests();
    const Measurement measurement =
        measure_window(bench_.window, bench_.postgres, bench_.receiver,
                       {.start = [&] { sealpost_.installation().start(); },
                        .cpu = [&] { return sealpost_.installation().cpu(); }});
    sealpost_.installation().stop();
    delivered_ += bench_.receiver.requests() - before;
    expect_nothing_lost();
    return measurement;
  }

 private:
  NumberedEvents numbered(std::int64_t count, const char* payload_sql) {
    const NumberedEvents events{.first = inserted_ + 1,
                                .count = count,
                                .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                                .payload_sql = payload_sql};
    inserted_ += count;
    return events;
  }

  void add_pending(std::int64_t count, const char* payload_sql) {
    const auto events = numbered(count, payload_sql);
    switch (bench_.kind) {
      case Kind::intake:
        return insert_events(sealpost_.database(), events);
      case Kind::due:
        return insert_deliveries(sealpost_.database(), events, kLongDueSql, 0);
      case Kind::later:
        return insert_deliveries(sealpost_.database(), events, kTomorrowSql, 1);
    }
  }

  void tidy() {
    sealpost_.database().run(
        "VACUUM (ANALYZE) sealpost.outbox, sealpost.intake, sealpost.delivery_rows");
  }

  void expect_nothing_lost() {
    auto& database = sealpost_.database();
    expect_count(database, "sealpost.delivery_history WHERE state = 'delivered'", delivered_);
    expect_count(database, "sealpost.attempts WHERE status_code = 200", delivered_);
    expect_count(database, "sealpost.dead_letters", 0);
    expect_count(database,
                 "(SELECT event_id FROM sealpost.intake UNION ALL "
                 "SELECT event_id FROM sealpost.deliveries) pending",
                 inserted_ - delivered_);
  }

  Bench& bench_;
  MeasuredSealpost sealpost_;
  std::int64_t inserted_ = 0;
  std::int64_t delivered_ = 0;
};

struct Options {
  std::string kind = "intake";
  std::int64_t pending = 10'000'000;
  int window = DrainWindow{}.deliveries;
  int rounds = 3;
  std::string commit = "unknown";
};

int run(const Options& options) {
  TemporaryDirectory directory;
  const DrainWindow window{.deliveries = options.window};
  Bench bench(directory.path(), kind_of(options.kind), window);
  // A stop lets what is in flight end, so a little more than the window is delivered.
  const std::int64_t drainable = std::int64_t{options.rounds} * (window.both() + 20'000);
  fmt::print(stderr, "making the rows\n");
  Side small(bench, "small", kSmall, drainable);
  Side large(bench, "large", options.pending, drainable);
  const auto done = run_paired(
      options.rounds, [&] { return small.measure(); }, [&] { return large.measure(); });
  fmt::print("{}\n",
             report({.benchmark = "backlog_" + options.kind,
                     .parameters = fmt::format(
                         R"("pending": {}, "baseline_pending": {}, "window": {}, "endpoints": {})",
                         options.pending, kSmall, options.window, kReceiverEndpoints),
                     .commit = options.commit},
                    done));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  sealpost::Options options;
  CLI::App app("Drains from a small and from a large backlog.");
  app.add_option("--kind", options.kind)->check(CLI::IsMember({"intake", "due", "later"}));
  app.add_option("--pending", options.pending)->check(CLI::Range(100'000, 100'000'000));
  app.add_option("--window", options.window)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", options.commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "backlog: {}\n", error.what());
    return 1;
  }
}
