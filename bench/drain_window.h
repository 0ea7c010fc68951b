// The rate of deliveries in the middle of a drain: from the moment when some were made already
// (connections are open, endpoints known) until so many more were. What waits beyond them is not
// looked at, so a backlog of any size can be measured in seconds.
//
// Threads: none. Errors: std::runtime_error if it takes longer than 1,000 deliveries/s would.
#pragma once

#include <chrono>
#include <functional>

#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/paired_rounds.h"

namespace sealpost {

struct DrainWindow {
  int warm_up = 20'000;
  int deliveries = 150'000;
  int both() const { return warm_up + deliveries; }
};

// What drains.
struct Drainer {
  std::function<void()> start;
  std::function<std::chrono::microseconds()> cpu;  // throws if it ended
};

// Starts it and leaves it running. It must deliver to `receiver` only, and the receiver must get
// nothing else meanwhile.
Measurement measure_window(const DrainWindow& window, DurablePostgres& postgres,
                           FastReceiver& receiver, const Drainer& drainer);

}  // namespace sealpost
