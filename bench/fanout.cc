// What do many endpoints cost? Compared is the rate of deliveries with a drain for 64 endpoints,
// one event each. Prints one line of JSON; "sealpost" in it is with many endpoints, "baseline" that
// drain.
//
//   build/release/bench/fanout --mode one    each event is for all of 10,000 endpoints
//                              --mode many   100,000 endpoints are registered, events come for
//                                            1,000 of them, one each
//       [--endpoints N] [--window N] [--rounds N] [--commit ID]
//
// All endpoints share the 64 addresses of one nginx, so both sides keep as many connections. After
// each drain everything is counted: a delivery that was lost, made twice or not recorded fails the
// benchmark. Registering takes a while: it is done by the admin API.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/paired_rounds.h"
#include "bench/repeated_drain.h"
#include "bench/temporary_directory.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

constexpr int kWithTraffic = 1'000;

struct Options {
  std::string mode = "one";
  int endpoints = 0;  // 0: the mode's own
  int window = 120'000;
  int rounds = 3;
  std::string commit = "unknown";
};

std::vector<std::string> urls_of(const FastReceiver& receiver, int endpoints) {
  std::vector<std::string> urls;
  for (int n = 0; n < endpoints; ++n) urls.push_back(receiver.url(n % kReceiverEndpoints));
  return urls;
}

DrainedWork work_of(const Options& options, const FastReceiver& receiver) {
  const DrainWindow window{.deliveries = options.window};
  auto endpoints = endpoints_at(urls_of(receiver, options.endpoints));
  if (options.mode == "many") {
    return {.endpoints = std::move(endpoints),
            .endpoint_sql = endpoint_in_turn(kWithTraffic),
            .window = window};
  }
  for (NewEndpoint& endpoint : endpoints) endpoint.event_type = "bench.event_0";
  return {.endpoints = std::move(endpoints),
          .endpoint_sql = "0",
          .deliveries_per_event = options.endpoints,
          .window = window};
}

int run(Options options) {
  if (options.endpoints == 0) options.endpoints = options.mode == "one" ? 10'000 : 100'000;
  TemporaryDirectory directory;
  DurablePostgres postgres;
  FastReceiver receiver(directory.path() / "nginx");
  RepeatedDrain plain(postgres, receiver, directory.path() / "plain",
                      {.endpoints = endpoints_at(receiver.urls()),
                       .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                       .window = {.deliveries = options.window}});
  fmt::print(stderr, "registering {} endpoints\n", options.endpoints);
  RepeatedDrain many(postgres, receiver, directory.path() / "many", work_of(options, receiver));
  const auto done = run_paired(
      options.rounds, [&] { return plain.measure(); }, [&] { return many.measure(); });
  fmt::print("{}\n", report({.benchmark = "fanout_" + options.mode,
                             .parameters = fmt::format(R"("endpoints": {}, "window": {})",
                                                       options.endpoints, options.window),
                             .commit = options.commit},
                            done));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  sealpost::Options options;
  CLI::App app("Drains with many endpoints.");
  app.add_option("--mode", options.mode)->check(CLI::IsMember({"one", "many"}));
  app.add_option("--endpoints", options.endpoints)->check(CLI::Range(1'000, 1'000'000));
  app.add_option("--window", options.window)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", options.commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fanout: {}\n", error.what());
    return 1;
  }
}
