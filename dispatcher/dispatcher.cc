#include "dispatcher/dispatcher.h"

#include <array>
#include <atomic>

#include "base/log.h"
#include "dispatcher/delivery_loop.h"
#include "dispatcher/dispatcher_metrics.h"
#include "dispatcher/endpoint_cache.h"
#include "dispatcher/endpoint_watch.h"
#include "dispatcher/finisher.h"
#include "dispatcher/heartbeat.h"
#include "dispatcher/inbox.h"
#include "dispatcher/intake_loop.h"
#include "dispatcher/membership.h"
#include "dispatcher/retry_times.h"
#include "dispatcher/store_health.h"
#include "dispatcher/upkeep.h"
#include "dispatcher/validator.h"

namespace sealpost {
namespace {

constexpr Milliseconds kStopTurn{2};
// Results of the last moment are written even if the drain took all its time, or was cut short.
constexpr std::chrono::seconds kLastWrites{2};
// A statement may take as long as the database's timeouts let it; a thread silent for longer is
// stuck.
constexpr std::chrono::seconds kStuckAfter{60};

}  // namespace

// In the order in which they are built; torn down in reverse.
struct Dispatcher::Parts {
  Parts(Dependencies dependencies, DispatcherOptions given);

  const DispatcherOptions options;
  Clock& clock;
  DispatcherMetrics metrics;
  StoreHealth health;
  Membership membership;
  EndpointCache endpoints;
  RetryTimes retry_times;
  Inbox inbox;
  SideRequests side_requests;
  Finisher finisher;
  DeliveryLoop network;
  IntakeLoop intake;
  Heartbeat heartbeat;
  EndpointWatch endpoint_watch;
  Upkeep upkeep;
  Validator validator;
  LoopThread stop_timer;  // no loop of its own: only its bell, which hurry() rings
  std::atomic<bool> hurried{false};
  bool running = false;

  std::array<const LoopThread*, 7> threads() const {
    return {&finisher.thread(),       &network.thread(), &intake.thread(),   &heartbeat.thread(),
            &endpoint_watch.thread(), &upkeep.thread(),  &validator.thread()};
  }
  void wait_for_requests_in_flight(MonotonicTime deadline);
};

Dispatcher::Parts::Parts(Dependencies from, DispatcherOptions given)
    : options(std::move(given)),
      clock(from.clock),
      health(clock),
      endpoints(clock),
      finisher({.store = from.delivery_store(),
                .endpoints = from.endpoints(),
                .retry_times = retry_times,
                .health = health,
                .metrics = metrics,
                .membership = membership,
                .clock = clock,
                .on_written = [this] { network.wake(); }},
               static_cast<std::size_t>(std::clamp(options.max_in_flight / 2, 1, kFinishBatch))),
      network({.sender = std::move(from.sender),
               .inbox = inbox,
               .endpoints = endpoints,
               .membership = membership,
               .finisher = finisher,
               .side_requests = side_requests,
               .metrics = metrics,
               .clock = clock,
               .random = from.random},
              options.max_in_flight),
      intake({.store = from.delivery_store(),
              .source = from.endpoints(),
              .endpoints = endpoints,
              .inbox = inbox,
              .network = network,
              .finisher = finisher,
              .retry_times = retry_times,
              .membership = membership,
              .health = health,
              .metrics = metrics,
              .clock = clock},
             {.busy = options.busy_poll, .idle = options.idle_poll}),
      heartbeat({.registry = from.registry(),
                 .membership = membership,
                 .nothing_underway =
                     [this] { return network.in_flight() == 0 && finisher.unfinished() == 0; },
                 .health = health,
                 .metrics = metrics,
                 .clock = clock},
                options.instance, options.lease),
      endpoint_watch({.source = from.endpoints(),
                      .endpoints = endpoints,
                      .inbox = inbox,
                      .network = network,
                      .health = health,
                      .clock = clock}),
      upkeep({.registry = from.registry(),
              .maintenance = from.maintenance(),
              .health = health,
              .metrics = metrics,
              .clock = clock},
             options.retention),
      validator({.store = from.validations(),
                 .source = from.endpoints(),
                 .requests = side_requests,
                 .network = network,
                 .membership = membership,
                 .health = health,
                 .clock = clock,
                 .random = from.random},
                options.validation) {}

Dispatcher::Dispatcher(Dependencies dependencies, DispatcherOptions options)
    : parts_(std::make_unique<Parts>(std::move(dependencies), std::move(options))) {}

Dispatcher::~Dispatcher() {
  hurry();
  stop();
}

void Dispatcher::start() {
  parts_->heartbeat.begin();
  parts_->running = true;
  parts_->heartbeat.start();
  parts_->finisher.start();
  parts_->network.start();
  parts_->intake.start();
  parts_->endpoint_watch.start();
  parts_->upkeep.start();
  parts_->validator.start();
}

bool Dispatcher::stop() {
  if (!parts_->running) return true;
  parts_->running = false;
  const MonotonicTime deadline = parts_->clock.monotonic_now() + parts_->options.drain;
  log_info("dispatcher.draining", {{"in_flight", parts_->network.in_flight()}});
  parts_->intake.stop();
  parts_->upkeep.stop();
  parts_->validator.stop();
  parts_->endpoint_watch.stop();
  parts_->network.drain();
  parts_->wait_for_requests_in_flight(deadline);
  const int abandoned = parts_->network.in_flight();
  parts_->network.leave();
  parts_->network.join();
  // The lease is still being renewed: results are written under it.
  const MonotonicTime now = parts_->clock.monotonic_now();
  parts_->finisher.stop_by((parts_->hurried ? now : std::max(now, deadline)) + kLastWrites);
  const int unwritten = parts_->finisher.unfinished();
  const bool ended = parts_->heartbeat.stop();
  log(abandoned + unwritten == 0 && ended ? LogLevel::info : LogLevel::warn, "dispatcher.stopped",
      {{"abandoned_requests", abandoned},
       {"unwritten_results", unwritten},
       {"epoch_ended", ended}});
  return abandoned == 0 && unwritten == 0 && ended;
}

void Dispatcher::Parts::wait_for_requests_in_flight(MonotonicTime deadline) {
  while (!network.over() && !hurried && clock.monotonic_now() < deadline) {
    stop_timer.sleep(kStopTurn);
  }
}

void Dispatcher::hurry() {
  parts_->hurried = true;
  parts_->stop_timer.ring();
}

bool Dispatcher::is_live() const {
  const MonotonicTime now = parts_->clock.monotonic_now();
  for (const LoopThread* thread : parts_->threads()) {
    if (now - thread->turned_at() > kStuckAfter) return false;
  }
  return true;
}

bool Dispatcher::is_ready(std::string& why) const {
  if (const std::optional<std::string> outage = parts_->health.outage()) {
    why = "the database does not answer: " + *outage;
    return false;
  }
  if (!parts_->membership.covers(parts_->clock.monotonic_now())) {
    why = "the lease is not held; nothing is sent until it is renewed";
    return false;
  }
  why.clear();
  return true;
}

std::string Dispatcher::metrics_text() const {
  const Parts& parts = *parts_;
  return parts.metrics.text({
      .queued = parts.inbox.queued(),
      .queued_bytes = parts.inbox.queued_bytes(),
      .unfinished = parts.finisher.unfinished(),
      .max_in_flight = parts.options.max_in_flight,
      .lease_held = parts.membership.covers(parts.clock.monotonic_now()),
      .store_reachable = !parts.health.outage(),
      .store_errors = parts.health.errors(),
      .buckets = parts.membership.buckets()->size(),
      .endpoints_cached = parts.endpoints.size(),
      .endpoints_unusable = parts.endpoints.unusable(),
  });
}

}  // namespace sealpost
