// Does a transaction that stays open slow deliveries down? It keeps PostgreSQL from removing the
// rows that were deleted since it began, and every delivery leaves some in intake and deliveries.
// Two installations in one server take turns at draining stored events, for ten minutes; all that
// while a transaction with a snapshot is open in the database of one of them. (It does not hold
// back the other: the horizon of ordinary tables is one of each database.) Prints one line of JSON;
// "sealpost" in it is with the open transaction, "baseline" without.
//
//   build/release/bench/held_xmin [--seconds N] [--window N] [--commit ID]
//
// The ratio is that of the second half of the rounds, when most dead rows have come together; all
// rounds are given as well, to show how it goes. Each side works for half of the time, as fast as
// it can. 64 endpoints, payloads of 1 KiB. After each drain everything is counted: a delivery that
// was lost, made twice or not recorded fails the benchmark.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/database.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/paired_rounds.h"
#include "bench/repeated_drain.h"
#include "bench/temporary_directory.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

int run(int seconds, int window, const std::string& commit) {
  TemporaryDirectory directory;
  DurablePostgres postgres;
  FastReceiver receiver(directory.path() / "nginx");
  const DrainedWork work{.endpoints = endpoints_at(receiver.urls()),
                         .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                         .window = {.deliveries = window}};
  RepeatedDrain clean(postgres, receiver, directory.path() / "clean", work);
  RepeatedDrain held(postgres, receiver, directory.path() / "held", work);

  Database holder(held.url());
  holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM sealpost.endpoints LIMIT 1");
  std::vector<Round> rounds;
  const auto until = Monotonic::now() + std::chrono::seconds(seconds);
  do {
    const auto round = run_paired(
        1, [&] { return clean.measure(); }, [&] { return held.measure(); });
    rounds.push_back(round.front());
  } while (Monotonic::now() < until);
  // Fails if the transaction is over by itself.
  holder.run("SELECT FROM sealpost.endpoints LIMIT 1; COMMIT");

  const std::vector<Round> second_half(
      rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2), rounds.end());
  fmt::print("{}\n",
             report({.benchmark = "held_xmin",
                     .parameters = fmt::format(R"("seconds": {}, "window": {}, "endpoints": {})",
                                               seconds, window, kReceiverEndpoints),
                     .commit = commit},
                    fmt::format(R"({}, "from_the_start": {{{}}})", summary(second_half),
                                summary(rounds))));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  int seconds = 600;
  int window = 100'000;
  std::string commit = "unknown";
  CLI::App app("Drains while a transaction stays open.");
  app.add_option("--seconds", seconds)->check(CLI::Range(1, 86'400));
  app.add_option("--window", window)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(seconds, window, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "held_xmin: {}\n", error.what());
    return 1;
  }
}
