// Do endpoints that do not work slow down those that do? 128 endpoints work. In one of two
// installations that take turns there are 32 more, 20 % of all, that hang, answer one byte a second
// or reset connections (sick_receiver.h); they get 20 % of the events, and a million deliveries
// wait for the first of them, which hangs. Measured are only the healthy ones:
//
//   latency     1,000 events per second are committed for 64 of them, from the moment on when
//               Sealpost is ready and knows nothing of the sick ones yet: commit to first byte
//   throughput  then a stored backlog for the other 64 is drained
//
// Prints one line of JSON; "sealpost" in it is beside the sick ones, "baseline" without.
//
//   build/release/bench/isolation [--waiting N] [--seconds N] [--window N] [--rounds N]
//                                 [--commit ID]
//
// An event for a healthy endpoint that was lost, delivered twice or not recorded fails the
// benchmark.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/database.h"
#include "bench/drain_window.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_latency.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/sick_receiver.h"
#include "bench/temporary_directory.h"
#include "bench/timed_producers.h"
#include "bench/wait_for.h"
#include "bench/waiting_rows.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

// Endpoints by number: those of nginx, those whose requests are timed, the sick ones.
constexpr int kDrained = kReceiverEndpoints;
constexpr int kTimed = 64;
constexpr int kSick = 32;
constexpr int kFirstSick = kDrained + kTimed;
constexpr double kTimedPerSecond = 1'000;
constexpr double kSickPerSecond = kTimedPerSecond / 4;  // 20 % of all

std::string event_type(std::int64_t endpoint) { return fmt::format("bench.event_{}", endpoint); }

struct Options {
  std::int64_t waiting = 1'000'000;
  int seconds = 15;
  int window = 100'000;
  int rounds = 3;
  std::string commit = "unknown";
};

struct Bench {
  Bench(const std::filesystem::path& files, const Options& given)
      : directory(files),
        drained(files / "nginx"),
        sick(kSick),
        options(given),
        window{.deliveries = given.window} {}
  std::filesystem::path directory;
  DurablePostgres postgres;
  FastReceiver drained;
  SickReceiver sick;
  Options options;
  DrainWindow window;
};

struct Healthy {
  Latency latency;
  Measurement drain;
};

// An installation for all rounds, with or without sick endpoints.
class Side {
 public:
  Side(Bench& bench, const std::string& name, bool has_sick)
      : bench_(bench),
        has_sick_(has_sick),
        sealpost_(bench.postgres, bench.directory / name, endpoints_at(urls())) {
    // What hangs would hold up each stop.
    sealpost_.installation().set("SEALPOST_DRAIN_SECONDS", "1");
    if (!has_sick) return;
    insert_deliveries(sealpost_.database(),
                      {.count = bench.options.waiting,
                       .endpoint_sql = std::to_string(kFirstSick),
                       .payload_sql = kPayloadSql},
                      "now() - interval '1 hour' + n * interval '1 microsecond'", 0);
    sealpost_.database().run(
        "VACUUM (ANALYZE) sealpost.outbox, sealpost.intake, sealpost.delivery_rows");
  }

  Healthy measure() {
    bench_.postgres.checkpoint();
    sealpost_.installation().start();
    sealpost_.installation().wait_until_ready();
    const Healthy healthy{.latency = measure_latency(), .drain = measure_drain()};
    wait_for([&] { return healthy_are_recorded(); }, Milliseconds(50),
             Monotonic::now() + std::chrono::seconds(60));
    sealpost_.installation().stop();
    return healthy;
  }

 private:
  std::vector<std::string> urls() const {
    std::vector<std::string> all;
    for (int n = 0; n < kDrained; ++n) all.push_back(bench_.drained.url(n));
    for (int n = 0; n < kTimed; ++n) all.push_back(timed_.url(fmt::format("/{}", n)));
    for (int n = 0; has_sick_ && n < kSick; ++n) all.push_back(bench_.sick.url(n));
    return all;
  }

  Production produce_for(int first, int endpoints, double per_second) {
    const Timetable timetable{.connections = 4,
                              .per_second = per_second,
                              .events = static_cast<int>(per_second * bench_.options.seconds)};
    const auto type = [=](std::int64_t n) { return event_type(first + n % endpoints); };
    return produce(timetable, [&] {
      return TimedProducer{.commit = inserts(sealpost_.url(), {.tenant = {}, .type = type}),
                           .after = {}};
    });
  }

  Latency measure_latency() {
    const auto before = timed_.requests();
    std::future<Production> beside;
    if (has_sick_) {
      beside = std::async(std::launch::async,
                          [this] { return produce_for(kFirstSick, kSick, kSickPerSecond); });
    }
    const Production production = produce_for(kDrained, kTimed, kTimedPerSecond);
    if (has_sick_) beside.get();
    expected_ += production.events;
    return latency_of(production, timed_, before);
  }

  // Every fifth event is for a sick endpoint, if there are any.
  Measurement measure_drain() {
    const int healthy = bench_.window.both();
    const auto endpoint_sql =
        has_sick_ ? fmt::format("CASE WHEN n % 5 = 0 THEN {} + n / 5 % {} ELSE n % {} END",
                                kFirstSick, kSick, kDrained)
                  : endpoint_in_turn(kDrained);
    const NumberedEvents events{.count = has_sick_ ? healthy / 4 * 5 : healthy,
                                .endpoint_sql = endpoint_sql,
                                .payload_sql = kPayloadSql};
    expected_ += healthy;
    return measure_window(bench_.window, bench_.postgres, bench_.drained,
                          {.start = [&] { insert_events(sealpost_.database(), events); },
                           .cpu = [&] { return sealpost_.installation().cpu(); }});
  }

  // Throws if more were delivered than there are.
  bool healthy_are_recorded() {
    const auto delivered = std::stoll(sealpost_.database().value(
        "SELECT count(*) FROM sealpost.delivery_history WHERE state = 'delivered'"));
    if (delivered > expected_) throw std::runtime_error("more was delivered than committed");
    return delivered == expected_;
  }

  Bench& bench_;
  bool has_sick_;
  Receiver timed_{Recording::ids};
  std::int64_t expected_ = 0;  // deliveries to healthy endpoints
  MeasuredSealpost sealpost_;
};

int run(const Options& options) {
  TemporaryDirectory directory;
  Bench bench(directory.path(), options);
  Side alone(bench, "alone", false);
  Side beside(bench, "beside", true);
  std::vector<Round> drains;
  const auto latencies = run_paired_latency(
      options.rounds,
      [&] {
        const Healthy healthy = alone.measure();
        drains.push_back({.baseline = healthy.drain, .sealpost = {}});
        return healthy.latency;
      },
      [&] {
        const Healthy healthy = beside.measure();
        drains.back().sealpost = healthy.drain;
        return healthy.latency;
      });
  fmt::print("{}\n",
             report({.benchmark = "isolation",
                     .parameters = fmt::format(
                         R"("waiting": {}, "healthy": {}, "sick": {}, "window": {}, "unit": "ms")",
                         options.waiting, kDrained + kTimed, kSick, options.window),
                     .commit = options.commit},
                    fmt::format(R"("throughput": {{{}}}, "latency": {{{}}})", summary(drains),
                                summary(latencies))));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  sealpost::Options options;
  CLI::App app("Measures healthy endpoints beside sick ones.");
  app.add_option("--waiting", options.waiting, "deliveries for the one that hangs")
      ->check(CLI::Range(0, 100'000'000));
  app.add_option("--seconds", options.seconds)->check(CLI::Range(1, 600));
  app.add_option("--window", options.window)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", options.commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "isolation: {}\n", error.what());
    return 1;
  }
}
