// Single-row transactions at a steady rate, and how long after each commit the request arrived. The
// clock runs from the moment when COMMIT has returned to the producer until the receiver has read
// the first bytes, both by the same monotonic clock.
//
// Producers keep to a timetable: one that is late commits at once, so that slowness somewhere does
// not thin out the load. The first events open connections and load endpoints; they are sent and
// verified, and their times are not counted.
//
// Threads: produce() starts its own and ends them. Errors: std::runtime_error.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/support/receiver.h"

namespace sealpost {

struct Timetable {
  int connections = 1;
  double per_second = 0;  // all connections together
  int events = 0;
};

// What one connection does at its time: commits event n of 0, 1, … and returns its id; then perhaps
// posts it.
struct TimedProducer {
  std::function<std::string(std::int64_t n)> commit;
  std::function<void(const std::string& id)> after;
};

// Of the table, which has the columns of the outbox; everything but the payload is an SQL text.
struct InsertedRow {
  std::string table = "sealpost.outbox";
  std::function<std::string(std::int64_t n)> tenant;  // none: 'default'
  std::function<std::string(std::int64_t n)> type;
};
// A connection of its own that inserts payloads of 1 KiB.
std::function<std::string(std::int64_t n)> inserts(const std::string& database_url,
                                                   const InsertedRow& row);

struct TimedCommit {
  std::string id;
  MonotonicTime at;  // when COMMIT had returned
  std::chrono::duration<double, std::milli> took{0};
};

struct Production {
  int events = 0;
  std::vector<TimedCommit> commits;  // without those of the warm-up
  double per_second = 0;             // achieved
};

Production produce(const Timetable& timetable, const std::function<TimedProducer()>& producer);

struct Latency {
  double p50 = 0, p90 = 0, p99 = 0, max = 0;  // ms
  double commit_p50 = 0, commit_p99 = 0;      // of the producer's own transaction, ms
  double per_second = 0;                      // achieved
};

// Waits until the receiver, which must record ids and get nothing else, has so many requests beyond
// those before the production; then joins what was committed with what arrived. Throws unless each
// event arrived exactly once.
Latency latency_of(const Production& production, const Receiver& receiver,
                   std::size_t requests_before = 0,
                   std::chrono::seconds patience = std::chrono::seconds(60));

// A JSON object.
std::string text(const Latency& latency);

}  // namespace sealpost
