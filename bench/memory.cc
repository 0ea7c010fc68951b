// How much memory does Sealpost need at its largest, and does it stay at that? 100,000 endpoints
// are registered and get events in turn, faster than the receiver answers; 10,000 requests are in
// flight, for half an hour. Prints one line of JSON with resident memory in MiB: of a first
// quarter, which begins after a minute, of the last quarter, the largest, and how many requests
// were in flight when it was looked at.
//
//   build/release/bench/memory [--seconds N] [--endpoints N] [--in-flight N] [--commit ID]
//
// The receiver is that of the tests and answers each request after eight seconds. There is no
// baseline: this is a size, not a time.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/database.h"
#include "bench/durable_postgres.h"
#include "bench/figures.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/temporary_directory.h"
#include "bench/waiting_rows.h"
#include "tests/support/api_client.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

constexpr auto kAnswerAfter = std::chrono::seconds(8);
constexpr auto kWarmUp = std::chrono::seconds(60);
constexpr auto kInterval = std::chrono::seconds(1);
constexpr std::int64_t kEnoughWaiting = 20'000;  // events in intake

struct Options {
  int seconds = 1'800;
  int endpoints = 100'000;
  int in_flight = 10'000;
  std::string commit = "unknown";
};

// The receiver has a socket for each request in flight.
void raise_own_file_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) throw std::runtime_error("setrlimit failed");
}

struct Sample {
  double mebibytes = 0;
  double in_flight = 0;
};

class Bench {
 public:
  Bench(const std::filesystem::path& files, const Options& options)
      : options_(options), sealpost_(postgres_, files, endpoints()) {
    receiver_.on("/slow", {Answer{.delay = kAnswerAfter}});
    sealpost_.installation().set("SEALPOST_MAX_IN_FLIGHT", std::to_string(options.in_flight));
    sealpost_.installation().start();
    sealpost_.installation().wait_until_ready();
  }

  std::vector<Sample> measure() {
    const auto begin = Monotonic::now();
    const auto end = begin + std::chrono::seconds(options_.seconds);
    std::vector<Sample> samples;
    while (Monotonic::now() < end) {
      if (!sealpost_.installation().is_running()) throw std::runtime_error("sealpost ended");
      keep_busy();
      if (Monotonic::now() >= begin + std::min<Monotonic::duration>(kWarmUp, (end - begin) / 2)) {
        samples.push_back(sample());
      }
      std::this_thread::sleep_for(kInterval);
    }
    return samples;
  }

 private:
  std::vector<NewEndpoint> endpoints() const {
    return endpoints_at(std::vector<std::string>(static_cast<std::size_t>(options_.endpoints),
                                                 receiver_.url("/slow")));
  }

  void keep_busy() {
    const auto waiting =
        std::stoll(sealpost_.database().value("SELECT count(*) FROM sealpost.intake"));
    const std::int64_t missing = kEnoughWaiting - waiting;
    if (missing <= 0) return;
    insert_events(sealpost_.database(), {.first = inserted_ + 1,
                                         .count = missing,
                                         .endpoint_sql = endpoint_in_turn(options_.endpoints),
                                         .payload_sql = kPayloadSql});
    inserted_ += missing;
  }

  Sample sample() {
    const auto metrics = read_metrics(sealpost_.installation().metrics_port());
    const Sample now{
        .mebibytes = static_cast<double>(sealpost_.installation().resident_bytes()) / (1 << 20),
        .in_flight = metrics.at("sealpost_attempts_in_flight")};
    if (++looks_ % 10 == 1) {
      fmt::print(stderr, "{:.0f} MiB, {:.0f} in flight, {} answered\n", now.mebibytes,
                 now.in_flight, receiver_.requests());
    }
    return now;
  }

  Options options_;
  DurablePostgres postgres_;
  Receiver receiver_{Recording::totals};
  std::int64_t inserted_ = 0;
  int looks_ = 0;
  MeasuredSealpost sealpost_;
};

double median_of(std::vector<Sample>::const_iterator begin, std::vector<Sample>::const_iterator end,
                 double Sample::*figure) {
  std::vector<double> values;
  for (auto it = begin; it != end; ++it) values.push_back((*it).*figure);
  return median(std::move(values));
}

int run(const Options& options) {
  raise_own_file_limit();
  TemporaryDirectory directory;
  fmt::print(stderr, "registering {} endpoints\n", options.endpoints);
  Bench bench(directory.path() / "sealpost", options);
  const auto samples = bench.measure();
  const auto quarter = static_cast<std::ptrdiff_t>(samples.size() + 3) / 4;
  const double first = median_of(samples.begin(), samples.begin() + quarter, &Sample::mebibytes);
  const double last = median_of(samples.end() - quarter, samples.end(), &Sample::mebibytes);
  const double largest = std::ranges::max_element(samples, {}, &Sample::mebibytes)->mebibytes;
  const double in_flight = median_of(samples.begin(), samples.end(), &Sample::in_flight);
  fmt::print(
      "{}\n",
      report({.benchmark = "memory",
              .parameters = fmt::format(R"("seconds": {}, "endpoints": {}, "in_flight_limit": {})",
                                        options.seconds, options.endpoints, options.in_flight),
              .commit = options.commit},
             fmt::format(R"("ratio": {:.3f}, "first_quarter_mib": {:.0f}, "last_quarter_mib": )"
                         R"({:.0f}, "largest_mib": {:.0f}, "in_flight": {:.0f})",
                         last / first, first, last, largest, in_flight)));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  sealpost::Options options;
  CLI::App app("Measures resident memory.");
  app.add_option("--seconds", options.seconds)->check(CLI::Range(10, 86'400));
  app.add_option("--endpoints", options.endpoints)->check(CLI::Range(1, 1'000'000));
  app.add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 20'000));
  app.add_option("--commit", options.commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "memory: {}\n", error.what());
    return 1;
  }
}
