// Does a tenant who floods the outbox slow the others down? 100 quiet tenants commit an event per
// second each; the time from commit to first byte is measured for them (timed_producers.h), once
// alone and once while a million events of another tenant wait. Prints one line of JSON with times
// in milliseconds; "sealpost" in it is with the flood, "baseline" without.
//
//   build/release/bench/fairness [--flood N] [--flood-endpoints N] [--seconds N] [--rounds N]
//                                [--commit ID]
//
// The flood was committed before the quiet tenants begin, and is filled up before each round; it
// outlasts the measurement, which is checked. Its endpoints are nginx, that of each quiet tenant is
// the receiver of the tests, which takes down when requests arrive. An event of a quiet tenant that
// was lost or delivered twice fails the benchmark.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/database.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/figures.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_latency.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/temporary_directory.h"
#include "bench/timed_producers.h"
#include "bench/waiting_rows.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

constexpr int kQuietTenants = 100;
constexpr auto kFloodingTenant = "flood";
constexpr auto kPatience = std::chrono::seconds(150);  // at most so long for the last quiet event

std::string quiet_tenant(std::int64_t n) { return fmt::format("quiet_{}", n % kQuietTenants); }

struct Options {
  int flood = 1'000'000;
  int flood_endpoints = 8;
  int seconds = 20;
  int rounds = 3;
  std::string commit = "unknown";
};

struct Bench {
  Bench(const std::filesystem::path& files, const Options& given)
      : directory(files), flooded(files / "nginx"), options(given) {}
  std::filesystem::path directory;
  DurablePostgres postgres;
  FastReceiver flooded;
  Options options;
};

// An installation for all rounds; the receiver, whose port its endpoints know, likewise.
class Side {
 public:
  Side(Bench& bench, const std::string& name, std::int64_t flood)
      : bench_(bench),
        flood_(flood),
        sealpost_(bench.postgres, bench.directory / name, endpoints()) {}

  Latency measure() {
    fill_up();
    bench_.postgres.checkpoint();
    sealpost_.installation().start();
    sealpost_.installation().wait_until_ready();
    const auto before = receiver_.requests();
    const int events = kQuietTenants * bench_.options.seconds;
    const auto production =
        produce({.connections = 4, .per_second = kQuietTenants, .events = events}, [&] {
          return TimedProducer{
              .commit = inserts(
                  sealpost_.url(),
                  {.tenant = quiet_tenant, .type = [](std::int64_t) { return "bench.quiet"; }}),
              .after = {}};
        });
    const std::int64_t left = left_of_flood();
    const bool outlasted = flood_ == 0 || left > 0;
    flood_taken_.push_back(static_cast<double>(flood_ - left) / bench_.options.seconds);
    const Latency latency = latency_of(production, receiver_, before, kPatience);
    sealpost_.installation().stop();
    if (!outlasted) throw std::runtime_error("the flood was over too early; make it larger");
    return latency;
  }

  // Events of the flood taken in per second, median of the rounds.
  double flood_per_second() const { return median(flood_taken_); }

 private:
  std::vector<NewEndpoint> endpoints() const {
    std::vector<NewEndpoint> all;
    for (int n = 0; n < bench_.options.flood_endpoints; ++n) {
      all.push_back({.url = bench_.flooded.url(n),
                     .event_type = fmt::format("bench.event_{}", n),
                     .tenant = kFloodingTenant});
    }
    for (int n = 0; n < kQuietTenants; ++n) {
      all.push_back({.url = receiver_.url("/" + quiet_tenant(n)),
                     .event_type = "bench.quiet",
                     .tenant = quiet_tenant(n)});
    }
    return all;
  }

  // Rows that no dispatcher has; when Sealpost does not run, all of them.
  std::int64_t left_of_flood() {
    return std::stoll(sealpost_.database().value(
        "SELECT (SELECT count(*) FROM sealpost.intake WHERE type LIKE 'bench.event\\_%')"
        "  + (SELECT count(*) FROM sealpost.delivery_rows WHERE lease_epoch IS NULL)"));
  }

  void fill_up() {
    const std::int64_t missing = flood_ - left_of_flood();
    if (missing > 0) {
      insert_events(sealpost_.database(),
                    {.first = inserted_ + 1,
                     .count = missing,
                     .endpoint_sql = endpoint_in_turn(bench_.options.flood_endpoints),
                     .payload_sql = kPayloadSql,
                     .tenant = kFloodingTenant});
      inserted_ += missing;
    }
    sealpost_.database().run(
        "VACUUM (ANALYZE) sealpost.outbox, sealpost.intake, sealpost.delivery_rows");
  }

  Bench& bench_;
  Receiver receiver_{Recording::ids};
  std::int64_t flood_;
  std::int64_t inserted_ = 0;
  std::vector<double> flood_taken_;
  MeasuredSealpost sealpost_;
};

int run(const Options& options) {
  TemporaryDirectory directory;
  Bench bench(directory.path(), options);
  Side alone(bench, "alone", 0);
  Side flooded(bench, "flooded", options.flood);
  const auto done = run_paired_latency(
      options.rounds, [&] { return alone.measure(); }, [&] { return flooded.measure(); });
  fmt::print("{}\n",
             report({.benchmark = "fairness",
                     .parameters = fmt::format(
                         R"("flood": {}, "flood_endpoints": {}, "flood_per_second": {:.0f}, )"
                         R"("quiet_tenants": {}, "unit": "ms")",
                         options.flood, options.flood_endpoints, flooded.flood_per_second(),
                         kQuietTenants),
                     .commit = options.commit},
                    summary(done)));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  sealpost::Options options;
  CLI::App app("Measures quiet tenants beside one that floods.");
  app.add_option("--flood", options.flood)->check(CLI::Range(1'000, 100'000'000));
  app.add_option("--flood-endpoints", options.flood_endpoints)
      ->check(CLI::Range(1, sealpost::kReceiverEndpoints));
  app.add_option("--seconds", options.seconds)->check(CLI::Range(1, 600));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", options.commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fairness: {}\n", error.what());
    return 1;
  }
}
