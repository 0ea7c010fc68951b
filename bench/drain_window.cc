#include "bench/drain_window.h"

#include <cstdint>

#include "bench/cpu_time.h"
#include "bench/wait_for.h"

namespace sealpost {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

// All readings of one moment.
struct Moment {
  Monotonic::time_point at;
  std::int64_t requests = 0;
  microseconds sender, postgres, receiver;
};

}  // namespace

Measurement measure_window(const DrainWindow& window, DurablePostgres& postgres,
                           FastReceiver& receiver, const Drainer& drainer) {
  const auto before = receiver.requests();
  const auto now = [&] {
    return Moment{.at = Monotonic::now(),
                  .requests = receiver.requests(),
                  .sender = drainer.cpu(),
                  .postgres = cpu_time(postgres.pid()),
                  .receiver = cpu_time(receiver.pid())};
  };
  const auto reached = [&](int requests) {
    const auto deadline = Monotonic::now() + std::chrono::seconds(30) + milliseconds(requests);
    wait_for([&] { return receiver.requests() - before >= requests; }, milliseconds(5), deadline);
    return now();
  };
  drainer.start();
  const Moment begin = reached(window.warm_up);
  const Moment end = reached(window.both());

  const auto deliveries = static_cast<double>(end.requests - begin.requests);
  const auto per_delivery = [&](microseconds time) {
    return static_cast<double>(time.count()) / deliveries;
  };
  const std::chrono::duration<double> elapsed = end.at - begin.at;
  return {.per_second = deliveries / elapsed.count(),
          .cpu_sender_us = per_delivery(end.sender - begin.sender),
          .cpu_postgres_us = per_delivery(end.postgres - begin.postgres),
          .cpu_receiver_us = per_delivery(end.receiver - begin.receiver)};
}

}  // namespace sealpost
