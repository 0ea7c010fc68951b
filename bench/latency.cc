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
// Producers keep to a timetable: one that is late commits at once, so that slowness somewhere does
// not thin out the load. The first events of a round open connections and load the endpoint; they
// are sent and verified, and their times are not counted. The receiver is that of the tests
// (tests/support/receiver.h): one thread, some 20 us per request, so that it is awake whenever
// something arrives; it notes a request when it reads it, so a busy receiver can only make times
// longer. A delivery that was lost, made twice or not recorded fails the benchmark.
#include <curl/curl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "bench/database.h"
#include "bench/durable_postgres.h"
#include "bench/figures.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/plain_outbox.h"
#include "bench/temporary_directory.h"
#include "bench/wait_for.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using Clock = std::chrono::steady_clock;

struct Mode {
  std::string name;
  int connections = 1;
  double per_second = 0;  // all connections together
  int events = 0;
};

Mode mode_of(const std::string& name) {
  if (name == "idle") return {.name = name, .connections = 1, .per_second = 50, .events = 400};
  return {.name = name, .connections = 8, .per_second = 2'000, .events = 30'000};
}

// The share of a round that is not counted.
constexpr double kWarmUp = 0.05;

struct Commit {
  std::string id;
  MonotonicTime at;  // when COMMIT had returned
  std::chrono::duration<double, std::milli> took{0};
};

// What one producer does at its time: commits an event and returns its id; then perhaps posts it.
struct Producer {
  std::function<std::string()> commit;
  std::function<void(const std::string& id)> after;
};

std::function<std::string()> inserts_into(const std::string& url, const std::string& table) {
  auto database = std::make_shared<Database>(url);
  database->prepare("insert", "INSERT INTO " + table +
                                  " (type, payload) VALUES ('bench.event_0', $1::json) "
                                  "RETURNING id");
  return [database] {
    static const std::array<std::string, 1> payload{payload_of(1)};
    return std::string(database->execute("insert", payload).at(0, 0));
  };
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

// Connection number `mine` of the mode's: its part of the timetable.
std::vector<Commit> produce(const Mode& mode, int mine, const Producer& producer,
                            MonotonicTime begin) {
  const std::chrono::duration<double> interval(1 / mode.per_second);
  std::vector<Commit> commits;
  for (int n = mine; n < mode.events; n += mode.connections) {
    std::this_thread::sleep_until(begin +
                                  std::chrono::duration_cast<Clock::duration>(n * interval));
    const auto asked_at = Clock::now();
    Commit commit{.id = producer.commit(), .at = {}};
    commit.at = Clock::now();
    commit.took = commit.at - asked_at;
    if (producer.after) producer.after(commit.id);
    commits.push_back(std::move(commit));
  }
  return commits;
}

struct Production {
  std::vector<Commit> commits;  // each connection's without those of the warm-up
  double per_second = 0;
};

Production produce_all(const Mode& mode, const std::function<Producer()>& producer) {
  std::vector<Producer> producers;
  for (int i = 0; i < mode.connections; ++i) producers.push_back(producer());
  const auto begin = Clock::now();
  std::vector<std::future<std::vector<Commit>>> threads;
  for (int i = 0; i < mode.connections; ++i) {
    threads.push_back(std::async(std::launch::async, [&mode, &producers, begin, i] {
      return produce(mode, i, producers[static_cast<std::size_t>(i)], begin);
    }));
  }
  Production production;
  for (auto& thread : threads) {
    const auto commits = thread.get();
    const auto skipped = static_cast<double>(commits.size()) * kWarmUp;
    production.commits.insert(production.commits.end(),
                              commits.begin() + static_cast<std::ptrdiff_t>(skipped),
                              commits.end());
  }
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  production.per_second = mode.events / elapsed.count();
  return production;
}

struct Latency {
  double p50 = 0, p90 = 0, p99 = 0, max = 0;  // ms
  double commit_p50 = 0, commit_p99 = 0;      // of the producer's own transaction, ms
  double per_second = 0;                      // achieved
};

// Joins what was committed with what arrived. Throws unless each event arrived exactly once.
Latency latency_of(const Mode& mode, const Production& production, const Receiver& receiver) {
  std::unordered_map<std::string, MonotonicTime> arrivals;
  const Ledger ledger = receiver.ledger();
  for (const LedgerEntry& entry : ledger.entries()) {
    if (!arrivals.emplace(entry.header("webhook-id"), entry.began_at).second) {
      throw std::runtime_error("an event was delivered twice");
    }
  }
  if (static_cast<int>(arrivals.size()) != mode.events) {
    throw std::runtime_error(fmt::format("{} of {} events arrived", arrivals.size(), mode.events));
  }
  std::vector<double> times, own;
  for (const Commit& commit : production.commits) {
    const std::chrono::duration<double, std::milli> time = arrivals.at(commit.id) - commit.at;
    times.push_back(time.count());
    own.push_back(commit.took.count());
  }
  return {.p50 = quantile(times, 0.5),
          .p90 = quantile(times, 0.9),
          .p99 = quantile(times, 0.99),
          .max = quantile(times, 1),
          .commit_p50 = quantile(own, 0.5),
          .commit_p99 = quantile(own, 0.99),
          .per_second = production.per_second};
}

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
  const auto production = produce_all(bench.mode, [&] {
    return Producer{.commit = inserts_into(url, "plain_outbox"),
                    .after = [post = std::make_shared<PlainPost>(receiver.url("/hook"))](
                                 const std::string& id) { (*post)(id); }};
  });
  bench.postgres.drop_database(url);
  return latency_of(bench.mode, production, receiver);
}

Latency measure_sealpost(Bench& bench) {
  const Receiver receiver(Recording::ids);
  MeasuredSealpost sealpost(bench.postgres, bench.directory / "sealpost", {receiver.url("/hook")});
  sealpost.installation().start();
  sealpost.installation().wait_until_ready();
  bench.postgres.checkpoint();
  const auto production = produce_all(bench.mode, [&] {
    return Producer{.commit = inserts_into(sealpost.url(), "sealpost.outbox"), .after = {}};
  });
  const auto deadline = Clock::now() + std::chrono::seconds(60);
  const auto arrived = [&] {
    return receiver.requests() >= static_cast<std::size_t>(bench.mode.events);
  };
  wait_for(arrived, Milliseconds(20), deadline);
  wait_for([&] { return sealpost.is_settled(); }, Milliseconds(20), deadline);
  sealpost.verify(bench.mode.events);
  return latency_of(bench.mode, production, receiver);
}

std::string text(const Latency& latency) {
  return fmt::format(R"({{"p50": {:.2f}, "p90": {:.2f}, "p99": {:.2f}, "max": {:.2f}, )"
                     R"("commit_p50": {:.2f}, "commit_p99": {:.2f}, "per_second": {:.0f}}})",
                     latency.p50, latency.p90, latency.p99, latency.max, latency.commit_p50,
                     latency.commit_p99, latency.per_second);
}

struct LatencyRound {
  Latency baseline, sealpost;
};

std::string medians(const std::vector<LatencyRound>& rounds, Latency LatencyRound::*side) {
  const auto middle = [&](double Latency::*figure) {
    std::vector<double> values;
    for (const LatencyRound& round : rounds) values.push_back(round.*side.*figure);
    return median(std::move(values));
  };
  return text({.p50 = middle(&Latency::p50),
               .p90 = middle(&Latency::p90),
               .p99 = middle(&Latency::p99),
               .max = middle(&Latency::max),
               .commit_p50 = middle(&Latency::commit_p50),
               .commit_p99 = middle(&Latency::commit_p99),
               .per_second = middle(&Latency::per_second)});
}

int run(const Mode& mode, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  Bench bench{.directory = directory.path(), .mode = mode};
  std::vector<LatencyRound> done;
  std::string all;
  for (int i = 1; i <= rounds; ++i) {
    LatencyRound round;
    round.baseline = measure_baseline(bench);
    fmt::print(stderr, "round {} of {}: baseline {}\n", i, rounds, text(round.baseline));
    round.sealpost = measure_sealpost(bench);
    fmt::print(stderr, "round {} of {}: sealpost {}\n", i, rounds, text(round.sealpost));
    all += fmt::format(R"({}{{"sealpost": {}, "baseline": {}}})", all.empty() ? "" : ", ",
                       text(round.sealpost), text(round.baseline));
    done.push_back(round);
  }
  fmt::print("{}\n",
             report({.benchmark = "latency_" + mode.name,
                     .parameters = fmt::format(R"("events": {}, "unit": "ms")", mode.events),
                     .commit = commit},
                    fmt::format(R"("sealpost": {}, "baseline": {}, "rounds": [{}])",
                                medians(done, &LatencyRound::sealpost),
                                medians(done, &LatencyRound::baseline), all)));
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
    if (events > 0) mode.events = events;
    return sealpost::run(mode, rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "latency: {}\n", error.what());
    return 1;
  }
}
