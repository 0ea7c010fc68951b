#include "bench/timed_producers.h"

#include <fmt/format.h>

#include <array>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "bench/database.h"
#include "bench/figures.h"
#include "bench/payload.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

constexpr double kWarmUp = 0.05;  // the share that is not counted

// Connection number `mine`: its part of the timetable.
std::vector<TimedCommit> keep_to(const Timetable& timetable, int mine,
                                 const TimedProducer& producer, MonotonicTime begin) {
  const std::chrono::duration<double> interval(1 / timetable.per_second);
  std::vector<TimedCommit> commits;
  for (int n = mine; n < timetable.events; n += timetable.connections) {
    std::this_thread::sleep_until(begin +
                                  std::chrono::duration_cast<Monotonic::duration>(n * interval));
    const auto asked_at = Monotonic::now();
    TimedCommit commit{.id = producer.commit(n), .at = {}};
    commit.at = Monotonic::now();
    commit.took = commit.at - asked_at;
    if (producer.after) producer.after(commit.id);
    commits.push_back(std::move(commit));
  }
  return commits;
}

}  // namespace

std::function<std::string(std::int64_t n)> inserts(const std::string& database_url,
                                                   const InsertedRow& row) {
  auto database = std::make_shared<Database>(database_url);
  database->prepare("insert", "INSERT INTO " + row.table +
                                  " (tenant, type, payload) VALUES ($1, $2, $3::json) "
                                  "RETURNING id");
  return [database, row](std::int64_t n) {
    static const std::string payload = payload_of(1);
    const std::array<std::string, 3> values{row.tenant ? row.tenant(n) : "default", row.type(n),
                                            payload};
    return std::string(database->execute("insert", values).at(0, 0));
  };
}

Production produce(const Timetable& timetable, const std::function<TimedProducer()>& producer) {
  std::vector<TimedProducer> producers;
  for (int i = 0; i < timetable.connections; ++i) producers.push_back(producer());
  const auto begin = Monotonic::now();
  std::vector<std::future<std::vector<TimedCommit>>> threads;
  for (int i = 0; i < timetable.connections; ++i) {
    threads.push_back(std::async(std::launch::async, [&timetable, &producers, begin, i] {
      return keep_to(timetable, i, producers[static_cast<std::size_t>(i)], begin);
    }));
  }
  Production production{.events = timetable.events, .commits = {}};
  for (auto& thread : threads) {
    const auto commits = thread.get();
    const auto skipped = static_cast<double>(commits.size()) * kWarmUp;
    production.commits.insert(production.commits.end(),
                              commits.begin() + static_cast<std::ptrdiff_t>(skipped),
                              commits.end());
  }
  const std::chrono::duration<double> elapsed = Monotonic::now() - begin;
  production.per_second = timetable.events / elapsed.count();
  return production;
}

Latency latency_of(const Production& production, const Receiver& receiver,
                   std::size_t requests_before, std::chrono::seconds patience) {
  const auto expected = static_cast<std::size_t>(production.events);
  if (!receiver.wait_for_requests(requests_before + expected, patience)) {
    throw std::runtime_error(
        fmt::format("{} of {} events arrived", receiver.requests() - requests_before, expected));
  }
  std::unordered_map<std::string, MonotonicTime> arrivals;
  const Ledger ledger = receiver.ledger();
  for (std::size_t i = requests_before; i < ledger.requests(); ++i) {
    const LedgerEntry& entry = ledger.entries()[i];
    if (!arrivals.emplace(entry.header("webhook-id"), entry.began_at).second) {
      throw std::runtime_error("an event was delivered twice");
    }
  }
  if (arrivals.size() != expected) throw std::runtime_error("more arrived than was committed");
  std::vector<double> times, own;
  for (const TimedCommit& commit : production.commits) {
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

std::string text(const Latency& latency) {
  return fmt::format(R"({{"p50": {:.2f}, "p90": {:.2f}, "p99": {:.2f}, "max": {:.2f}, )"
                     R"("commit_p50": {:.2f}, "commit_p99": {:.2f}, "per_second": {:.0f}}})",
                     latency.p50, latency.p90, latency.p99, latency.max, latency.commit_p50,
                     latency.commit_p99, latency.per_second);
}

}  // namespace sealpost
