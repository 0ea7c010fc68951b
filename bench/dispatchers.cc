// Do several dispatchers on one database hinder each other? The same stored backlog is drained by
// one, two and four `sealpost dispatcher` in turn, on one machine: two cores do not become more, so
// the sum should stay what it is and a delivery should not cost more CPU. Prints one line of JSON;
// "sealpost" in it is several dispatchers, "baseline" one, measured right before.
//
//   build/release/bench/dispatchers [--window N] [--rounds N] [--commit ID]
//
// 64 endpoints, payloads of 1 KiB, one database for all rounds. After each drain everything is
// counted: a delivery that was lost, made twice or not recorded fails the benchmark.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>

#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/paired_rounds.h"
#include "bench/repeated_drain.h"
#include "bench/temporary_directory.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

int run(int window, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  DurablePostgres postgres;
  FastReceiver receiver(directory.path() / "nginx");
  RepeatedDrain drain(postgres, receiver, directory.path() / "sealpost",
                      {.endpoints = endpoints_at(receiver.urls()),
                       .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                       .window = {.deliveries = window}});
  const auto measure = [&](int processes) {
    return drain.measure(
        [=](SealpostInstallation& installation) { installation.start_dispatchers(processes); });
  };
  std::string results;
  for (const int dispatchers : {2, 4}) {
    fmt::print(stderr, "{} dispatchers\n", dispatchers);
    const auto done = run_paired(
        rounds, [&] { return measure(1); }, [&] { return measure(dispatchers); });
    results +=
        fmt::format(R"({}"{}": {{{}}})", results.empty() ? "" : ", ", dispatchers, summary(done));
  }
  fmt::print("{}\n", report({.benchmark = "dispatchers",
                             .parameters = fmt::format(R"("window": {}, "endpoints": {})", window,
                                                       kReceiverEndpoints),
                             .commit = commit},
                            fmt::format(R"("dispatchers": {{{}}})", results)));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  int window = sealpost::DrainWindow{}.deliveries;
  int rounds = 3;
  std::string commit = "unknown";
  CLI::App app("Drains with one, two and four dispatchers.");
  app.add_option("--window", window)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(window, rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "dispatchers: {}\n", error.what());
    return 1;
  }
}
