// What does Sealpost cost those who produce events? Commits per second of transactions that insert
// one row of 1 KiB, at 1, 8 and 32 clients, beside the same into a plain table (plain_outbox.h).
// Prints one line of JSON. Sealpost's side is measured three times, so that one sees where the cost
// lies:
//
//   schema      `sealpost serve` does not run: partitions, checks and trigger alone
//   taking_in   it runs, and no endpoint wants the events: they are taken in and nothing is sent
//   delivering  one endpoint receives them all: the figure. The engine, nginx, PostgreSQL and the
//               clients share the machine's cores; what the engine uses, producers lack
//
// Right before each of them the plain table is measured again, while `sealpost serve` does not run.
//
//   build/release/bench/producer [--seconds N] [--rounds N] [--commit ID]
//
// The clients are pgbench's: it is known, costs some 10 us per transaction whatever the number of
// clients (one thread, no thread per client that the kernel would have to switch to), and reports
// exactly how many transactions it made. Statements are prepared, as by drivers. Each number of
// clients in each round has a fresh database, and each measurement begins after a checkpoint.
// Afterwards the rows must be as many as the commits, and each must have been delivered and
// recorded exactly once if it was to be.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cpu_time.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/plain_outbox.h"
#include "bench/temporary_directory.h"
#include "bench/wait_for.h"
#include "tests/support/running_program.h"

namespace sealpost {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

constexpr std::array kClients = {1, 8, 32};

// What is measured: where rows go, and what Sealpost does meanwhile.
struct Variant {
  const char* name;
  const char* table;
  bool engine_runs;
  bool is_wanted;  // by an endpoint
};
constexpr Variant kPlain{"plain", "plain_outbox", false, false};
constexpr std::array<Variant, 3> kSealpost{Variant{"schema", "sealpost.outbox", false, false},
                                           Variant{"taking_in", "sealpost.outbox", true, false},
                                           Variant{"delivering", "sealpost.outbox", true, true}};

struct Bench {
  explicit Bench(const std::filesystem::path& files)
      : directory(files), receiver(files / "nginx") {}
  std::filesystem::path directory;
  DurablePostgres postgres;
  FastReceiver receiver;
  int seconds = 0;
};

struct Produced {
  std::int64_t commits = 0;
  double per_second = 0;
};

// The number that follows `label`.
double number_after(const std::string& text, const std::string& label) {
  const auto at = text.find(label);
  if (at == std::string::npos) throw std::runtime_error("pgbench: " + text);
  return std::stod(text.substr(at + label.size()));
}

Produced run_pgbench(const Bench& bench, MeasuredSealpost& sealpost, const Variant& variant,
                     int clients) {
  const auto script = bench.directory / "insert.sql";
  std::ofstream(script) << "INSERT INTO " << variant.table
                        << " (type, payload) VALUES (:type, :payload);\n";
  const std::string programs =
      sealpost.database().value("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
  ProgramOptions pgbench;
  pgbench.arguments = {
      programs + "/pgbench",
      "--no-vacuum",
      "--protocol=prepared",
      fmt::format("--client={}", clients),
      fmt::format("--time={}", bench.seconds),
      "--file=" + script.string(),
      variant.is_wanted ? "--define=type=bench.event_0" : "--define=type=bench.unwanted",
      "--define=payload=" + payload_of(1),
      sealpost.url()};
  const RunningProgram program(pgbench);
  const auto exit = program.wait_exit(std::chrono::seconds(bench.seconds + 60));
  if (!exit || exit->code != 0) {
    throw std::runtime_error("pgbench: " + program.text(Stream::errors));
  }
  const auto said = program.text(Stream::output);
  return {.commits = static_cast<std::int64_t>(
              number_after(said, "number of transactions actually processed: ")),
          .per_second = number_after(said, "tps = ")};
}

// Lets Sealpost end its work and expects the rows that were produced in this database so far.
void settle(Bench& bench, MeasuredSealpost& sealpost, std::int64_t rows, std::int64_t wanted,
            std::int64_t requests_before) {
  const auto answered = [&] { return bench.receiver.requests() - requests_before; };
  const auto deadline = Monotonic::now() + std::chrono::seconds(60) + milliseconds(2 * rows);
  wait_for([&] { return sealpost.has_taken_all(); }, milliseconds(20), deadline);
  wait_for([&] { return answered() >= wanted; }, milliseconds(20), deadline);
  wait_for([&] { return sealpost.is_settled(); }, milliseconds(20), deadline);
  sealpost.verify(wanted);
  expect_count(sealpost.database(), "sealpost.outbox", rows);
  if (answered() != wanted) {
    throw std::runtime_error(fmt::format("{} requests for {} events", answered(), wanted));
  }
}

// One number of clients in one round.
class Series {
 public:
  Series(Bench& bench, int clients)
      : bench_(bench),
        clients_(clients),
        sealpost_(bench.postgres, bench.directory / "sealpost",
                  endpoints_at({bench.receiver.url(0)})),
        requests_(bench.receiver.requests()) {
    create_plain_outbox(sealpost_.database());
  }

  Measurement measure(const Variant& variant) {
    if (variant.engine_runs) start();
    bench_.postgres.checkpoint();
    const auto cpu_receiver = cpu_time(bench_.receiver.pid());
    const auto cpu_engine = sealpost_.installation().cpu();
    const Produced produced = run_pgbench(bench_, sealpost_, variant, clients_);
    const auto per_commit = [&](microseconds time) {
      return static_cast<double>(time.count()) / static_cast<double>(produced.commits);
    };
    const Measurement measurement{
        .per_second = produced.per_second,
        .cpu_sender_us = per_commit(sealpost_.installation().cpu() - cpu_engine),
        .cpu_receiver_us = per_commit(cpu_time(bench_.receiver.pid()) - cpu_receiver)};
    verify(variant, produced.commits);
    return measurement;
  }

 private:
  // What was produced while it did not run is taken in first.
  void start() {
    sealpost_.installation().start();
    sealpost_.installation().wait_until_ready();
    const auto deadline = Monotonic::now() + std::chrono::seconds(60);
    wait_for([&] { return sealpost_.has_taken_all(); }, milliseconds(20), deadline);
  }

  void verify(const Variant& variant, std::int64_t commits) {
    const bool is_plain = variant.name == kPlain.name;
    (is_plain ? plain_rows_ : rows_) += commits;
    if (variant.is_wanted) wanted_ += commits;
    if (is_plain) expect_count(sealpost_.database(), kPlain.table, plain_rows_);
    if (variant.engine_runs) settle(bench_, sealpost_, rows_, wanted_, requests_);
  }

  Bench& bench_;
  const int clients_;
  MeasuredSealpost sealpost_;
  const std::int64_t requests_;  // before
  std::int64_t plain_rows_ = 0, rows_ = 0, wanted_ = 0;
};

using RoundsByVariant = std::map<std::string, std::vector<Round>>;

void run_round(Bench& bench, int clients, RoundsByVariant& done) {
  Series series(bench, clients);
  for (const Variant& variant : kSealpost) {
    Round round;
    round.baseline = series.measure(kPlain);
    round.sealpost = series.measure(variant);
    fmt::print(stderr, "  {} clients, {}: {:.0f}/s against {:.0f}/s, ratio {:.3f}\n", clients,
               variant.name, round.sealpost.per_second, round.baseline.per_second, round.ratio());
    done[variant.name].push_back(round);
  }
}

int run(int seconds, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  Bench bench(directory.path());
  bench.seconds = seconds;
  std::map<int, RoundsByVariant> done;
  for (int i = 1; i <= rounds; ++i) {
    fmt::print(stderr, "round {} of {}\n", i, rounds);
    for (const int clients : kClients) run_round(bench, clients, done[clients]);
  }
  std::string members;
  for (const auto& [clients, variants] : done) {
    std::string of_variants;
    for (const auto& [name, measured] : variants) {
      of_variants += fmt::format(R"({}"{}": {{{}}})", of_variants.empty() ? "" : ", ", name,
                                 summary(measured));
    }
    members +=
        fmt::format(R"({}"clients_{}": {{{}}})", members.empty() ? "" : ", ", clients, of_variants);
  }
  fmt::print("{}\n", report({.benchmark = "producer",
                             .parameters = fmt::format(R"("seconds": {})", seconds),
                             .commit = commit},
                            members));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  int seconds = 3;
  int rounds = 3;
  std::string commit = "unknown";
  CLI::App app("Produces events, beside a plain table.");
  app.add_option("--seconds", seconds, "of each measurement")->check(CLI::Range(1, 600));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  try {
    return sealpost::run(seconds, rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "producer: {}\n", error.what());
    return 1;
  }
}
