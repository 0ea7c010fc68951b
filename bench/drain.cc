// How fast is a stored backlog delivered? 300,000 events of 1 KiB for 64 endpoints are in the
// database; the clock runs from the first request that reaches the receiver until the last result
// is committed. The feature-free pipeline does the same work beside it. Prints one line of JSON.
//
//   build/release/bench/drain [--tls] [--events N] [--rounds N] [--commit ID]
//
// With --tls both sides speak TLS 1.3 to the receiver, over kept connections.
//
// Each side of each round has a fresh database whose event table was vacuumed and analyzed, and
// begins after a checkpoint. Afterwards everything is counted: a delivery that was lost, made twice
// or not recorded fails the benchmark.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cpu_time.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/feature_free_pipeline.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/temporary_directory.h"
#include "bench/wait_for.h"
#include "bench/waiting_rows.h"

namespace sealpost {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

struct Bench {
  Bench(const std::filesystem::path& files, Transport transport, int number_of_events)
      : directory(files), receiver(files / "nginx", transport), events(number_of_events) {}
  std::filesystem::path directory;
  DurablePostgres postgres;
  FastReceiver receiver;
  int events;
};

// One side of a comparison, in a database of its own.
class Side {
 public:
  virtual ~Side() = default;
  virtual void prepare() = 0;  // tables, endpoints, events
  virtual void start() = 0;    // begins to drain
  virtual microseconds cpu() const = 0;
  virtual bool
  is_settled() = 0;           // every result is committed; asked when every request was answered
  virtual void verify() = 0;  // throws unless each delivery is recorded once
};

class FeatureFreeSide final : public Side {
 public:
  explicit FeatureFreeSide(Bench& bench)
      : bench_(bench), url_(bench.postgres.create_empty_database()), database_(url_) {}
  ~FeatureFreeSide() override {
    pipeline_.reset();
    bench_.postgres.drop_database(url_);
  }

  void prepare() override {
    FeatureFreePipeline::create_tables(database_);
    FeatureFreePipeline::insert_events(database_, bench_.events, kPayloadSql);
    database_.run("VACUUM (ANALYZE) feature_free.events");
  }

  void start() override {
    pipeline_.emplace(FeatureFreeOptions{.database_url = url_,
                                         .endpoint_urls = bench_.receiver.urls(),
                                         .ca_file = bench_.receiver.ca_file()});
    pipeline_->start();
  }

  // The pipeline's threads are ours; receiver and PostgreSQL are processes of their own.
  microseconds cpu() const override {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }

  bool is_settled() override {
    pipeline_->check();
    return database_.value("SELECT NOT EXISTS (SELECT FROM feature_free.deliveries)") == "t";
  }

  void verify() override {
    expect_count(database_, "feature_free.queue", 0);
    expect_count(database_, "feature_free.history", bench_.events);
    expect_count(database_, "feature_free.attempts WHERE status_code = 200", bench_.events);
  }

 private:
  Bench& bench_;
  std::string url_;
  Database database_;
  std::optional<FeatureFreePipeline> pipeline_;
};

class SealpostSide final : public Side {
 public:
  explicit SealpostSide(Bench& bench)
      : bench_(bench),
        sealpost_(bench.postgres, bench.directory / "sealpost",
                  endpoints_at(bench.receiver.urls())) {
    const std::string ca_file = bench.receiver.ca_file();
    if (!ca_file.empty()) sealpost_.installation().set("SEALPOST_CA_FILE", ca_file);
  }

  void prepare() override {
    insert_events(sealpost_.database(), {.count = bench_.events,
                                         .endpoint_sql = endpoint_in_turn(kReceiverEndpoints),
                                         .payload_sql = kPayloadSql});
    sealpost_.database().run("VACUUM (ANALYZE) sealpost.outbox");
  }

  void start() override { sealpost_.installation().start(); }
  microseconds cpu() const override { return sealpost_.installation().cpu(); }
  bool is_settled() override { return sealpost_.is_settled(); }
  void verify() override { sealpost_.verify(bench_.events); }

 private:
  Bench& bench_;
  MeasuredSealpost sealpost_;
};

Measurement measure(Bench& bench, Side& side) {
  side.prepare();
  bench.postgres.checkpoint();
  const auto before = bench.receiver.requests();
  const auto answered = [&] { return bench.receiver.requests() - before; };
  const auto cpu_receiver = cpu_time(bench.receiver.pid());
  const auto cpu_postgres = cpu_time(bench.postgres.pid());
  const auto cpu_sender = side.cpu();

  // 500 deliveries/s would be a failure of another kind.
  const auto deadline =
      Monotonic::now() + std::chrono::seconds(60) + milliseconds(2 * bench.events);
  side.start();
  wait_for([&] { return answered() > 0; }, milliseconds(1), deadline);
  const auto begin = Monotonic::now();
  wait_for([&] { return answered() >= bench.events; }, milliseconds(10), deadline);
  wait_for([&] { return side.is_settled(); }, milliseconds(2), deadline);
  const std::chrono::duration<double> elapsed = Monotonic::now() - begin;

  const auto per_delivery = [&](microseconds time) {
    return static_cast<double>(time.count()) / bench.events;
  };
  const Measurement measurement{
      .per_second = bench.events / elapsed.count(),
      .cpu_sender_us = per_delivery(side.cpu() - cpu_sender),
      .cpu_postgres_us = per_delivery(cpu_time(bench.postgres.pid()) - cpu_postgres),
      .cpu_receiver_us = per_delivery(cpu_time(bench.receiver.pid()) - cpu_receiver)};
  side.verify();
  if (answered() != bench.events) {
    throw std::runtime_error(fmt::format("{} requests for {} events", answered(), bench.events));
  }
  return measurement;
}

template <class SideOfComparison>
Measurement measure_one(Bench& bench) {
  SideOfComparison side(bench);
  return measure(bench, side);
}

int run(Transport transport, int events, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  Bench bench(directory.path(), transport, events);
  const auto done = run_paired(
      rounds, [&] { return measure_one<FeatureFreeSide>(bench); },
      [&] { return measure_one<SealpostSide>(bench); });
  fmt::print("{}\n", report({.benchmark = transport == Transport::tls ? "drain_tls" : "drain",
                             .parameters = fmt::format(R"("events": {}, "endpoints": {})", events,
                                                       kReceiverEndpoints),
                             .commit = commit},
                            done));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  bool tls = false;
  int events = 300'000;
  int rounds = 3;
  std::string commit = "unknown";
  CLI::App app("Drains a stored backlog, beside the feature-free pipeline.");
  app.add_flag("--tls", tls);
  app.add_option("--events", events)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  try {
    const auto transport = tls ? sealpost::Transport::tls : sealpost::Transport::plain;
    return sealpost::run(transport, events, rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "drain: {}\n", error.what());
    return 1;
  }
}
