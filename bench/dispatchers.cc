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
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
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
#include "bench/wait_for.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

constexpr int kTail = 20'000;  // beyond the window, so that it ends before the work does

class Bench {
 public:
  Bench(const std::filesystem::path& files, DrainWindow window)
      : receiver_(files / "nginx"),
        window_(window),
        sealpost_(postgres_, files / "sealpost", endpoints_at(receiver_.urls())) {}

  Measurement measure(int dispatchers) {
    const NumberedEvents events{.first = inserted_ + 1,
                                .count = window_.both() + kTail,
                                .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                                .payload_sql = kPayloadSql};
    insert_events(sealpost_.database(), events);
    inserted_ += events.count;
    sealpost_.database().run(
        "VACUUM (ANALYZE) sealpost.outbox, sealpost.intake, sealpost.delivery_rows");
    postgres_.checkpoint();
    const auto before = receiver_.requests();
    auto& installation = sealpost_.installation();
    const Measurement measurement =
        measure_window(window_, postgres_, receiver_,
                       {.start = [&] { installation.start_dispatchers(dispatchers); },
                        .cpu = [&] { return installation.cpu(); }});
    wait_for([&] { return sealpost_.has_taken_all() && sealpost_.is_settled(); },
             std::chrono::milliseconds(50), Monotonic::now() + std::chrono::seconds(60));
    sealpost_.verify(inserted_);
    if (receiver_.requests() - before != events.count) {
      throw std::runtime_error("a delivery was made twice");
    }
    return measurement;
  }

 private:
  DurablePostgres postgres_;
  FastReceiver receiver_;
  DrainWindow window_;
  std::int64_t inserted_ = 0;
  MeasuredSealpost sealpost_;
};

int run(int window, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  Bench bench(directory.path(), {.deliveries = window});
  std::string results;
  for (const int dispatchers : {2, 4}) {
    fmt::print(stderr, "{} dispatchers\n", dispatchers);
    const auto done = run_paired(
        rounds, [&] { return bench.measure(1); }, [&] { return bench.measure(dispatchers); });
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
