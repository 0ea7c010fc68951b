#include "dispatcher/upkeep.h"

#include "base/log.h"

namespace sealpost {
namespace {

constexpr Milliseconds kTurn{50};  // how exactly the intervals below are kept
constexpr std::chrono::seconds kTakeoverInterval{1};
constexpr std::chrono::seconds kMaintenanceInterval{60};

bool is_due(const std::optional<MonotonicTime>& time, MonotonicTime now) {
  return !time || now >= *time;
}

}  // namespace

void Upkeep::run() {
  while (!thread_.stopping()) {
    const MonotonicTime now = parts_.clock.monotonic_now();
    thread_.turned(now);
    try {
      if (is_due(next_takeover_, now)) take_over();
      if (is_due(next_maintenance_, now)) maintain();
      backoff_.reset();
      thread_.sleep(kTurn);
    } catch (const StorageError& error) {
      parts_.health.failed("upkeep", error);
      thread_.sleep(backoff_.after(error));
    }
  }
}

void Upkeep::take_over() {
  const int freed = parts_.registry->take_over_dead();
  next_takeover_ = parts_.clock.monotonic_now() + kTakeoverInterval;
  parts_.health.reached("upkeep");
  if (freed == 0) return;
  parts_.metrics.deliveries_taken_over.add(static_cast<std::uint64_t>(freed));
  log_warn("dispatcher.took_over", {{"deliveries", freed}});
}

// A failure here must not stop takeovers from being tried at their pace, so its own next try is set
// first.
void Upkeep::maintain() {
  next_maintenance_ = parts_.clock.monotonic_now() + kMaintenanceInterval;
  const MaintenanceReport report = parts_.maintenance->run(retention_);
  for (const std::string& name : report.created) log_info("partition.created", {{"name", name}});
  for (const std::string& name : report.dropped) log_info("partition.dropped", {{"name", name}});
}

}  // namespace sealpost
