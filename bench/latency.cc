// How long after a commit does the first byte of the request reach the receiver? Single-row
// transactions of 1 KiB commit at a steady rate; the clock runs from the moment when COMMIT has
// returned to the producer until the receiver has read the first bytes, both by the same monotonic
// clock. Beside it, what the machine itself costs: the producer commits the same row to a plain
// table and then posts the payload itself, with a bare libcurl handle on a kept connection. Prints
// one line of JSON with times in milliseconds. The producer's own transactions are timed as well:
// Sealpost makes the delivery durable before it sends it, so its time contains a commit, too.
//
//   build/release/bench/latency --mode idle   one event every 20 ms
//   build/release/bench/latency --mode 2k     2,000 events per second, from 8 connections
//       [--events N] [--rounds N] [--commit ID]
//
// How producers work is in timed_producers.h. The receiver is that of the tests
// (tests/support/receiver.h): one thread, some 20 us per request, so that it is awake whenever
// something arrives; it notes a request when it reads it, so a busy receiver can only make times
// longer. A delivery that was lost, made twice or not recorded fails the benchmark.
#include <curl/curl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/database.h"
#include "bench/durable_postgres.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_latency.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/plain_outbox.h"
#include "bench/temporary_directory.h"
#include "bench/timed_producers.h"
#include "bench/wait_for.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using Clock = std::chrono::steady_clock;

struct Mode {
  std::string name;
  Timetable timetable;
};

Mode mode_of(const std::string& name) {
  if (name == "idle") return {name, {.connections = 1, .per_second = 50, .events = 400}};
  return {name, {.connections = 8, .per_second = 2'000, .events = 30'000}};
}

InsertedRow row_of(const std::string& table) {
  return {.table = table, .tenant = {}, .type = [](std::int64_t) { return "bench.event_0"; }};
}

// A kept connection of its own.
class PlainPost {
 public:
  explicit PlainPost(const std::string& url) : curl_(curl_easy_init(), curl_easy_cleanup) {
    curl_easy_setopt(curl_.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(payload_.size()));
    curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDS, payload_.data());
  }

  void operator()(const std::string& id) {
    using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;
    const Headers headers(curl_slist_append(nullptr, ("webhook-id: " + id).c_str()),
                          curl_slist_free_all);
    curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, headers.get());
    const CURLcode result = curl_easy_perform(curl_.get());
    if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
  }

 private:
  const std::string payload_ = payload_of(1);
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
};

struct Bench {
  std::filesystem::path directory;
  Mode mode;
  DurablePostgres postgres{};
};

Latency measure_baseline(Bench& bench) {
  const Receiver receiver(Recording::ids);
  const std::string url = bench.postgres.create_migrated_database();
  {
    Database database(url);
    create_plain_outbox(database);
  }
  bench.postgres.checkpoint();
  const auto production = produce(bench.mode.timetable, [&] {
    return TimedProducer{.commit = inserts(url, row_of("plain_outbox")),
                         .after = [post = std::make_shared<PlainPost>(receiver.url("/hook"))](
                                      const std::string& id) { (*post)(id); }};
  });
  bench.postgres.drop_database(url);
  return latency_of(production, receiver);
}

Latency measure_sealpost(Bench& bench) {
  const Receiver receiver(Recording::ids);
  MeasuredSealpost sealpost(bench.postgres, bench.directory / "sealpost",
                            endpoints_at({receiver.url("/hook")}));
  sealpost.installation().start();
  sealpost.installation().wait_until_ready();
  bench.postgres.checkpoint();
  const auto production = produce(bench.mode.timetable, [&] {
    return TimedProducer{.commit = inserts(sealpost.url(), row_of("sealpost.outbox")), .after = {}};
  });
  const Latency latency = latency_of(production, receiver);
  wait_for([&] { return sealpost.is_settled(); }, Milliseconds(20),
           Clock::now() + std::chrono::seconds(60));
  sealpost.verify(bench.mode.timetable.events);
  return latency;
}

int run(const Mode& mode, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  Bench bench{.directory = directory.path(), .mode = mode};
  const auto done = run_paired_latency(
      rounds, [&] { return measure_baseline(bench); }, [&] { return measure_sealpost(bench); });
  fmt::print(
      "{}\n",
      report({.benchmark = "latency_" + mode.name,
              .parameters = fmt::format(R"("events": {}, "unit": "ms")", mode.timetable.events),
              .commit = commit},
             summary(done)));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  std::string mode_name = "idle";
  int events = 0;
  int rounds = 3;
  std::string commit = "unknown";
  CLI::App app("Measures the time from commit to first byte.");
  app.add_option("--mode", mode_name)->check(CLI::IsMember({"idle", "2k"}));
  app.add_option("--events", events, "per round; 0: the mode's own")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  try {
    auto mode = sealpost::mode_of(mode_name);
    if (events > 0) mode.timetable.events = events;
    return sealpost::run(mode, rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "latency: {}\n", error.what());
    return 1;
  }
}
