// What a dispatcher counts. Names and labels are a public interface, listed in docs/OPERATING.md.
//
// Threads: safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/metrics.h"
#include "core/attempt.h"
#include "core/retry_policy.h"

namespace sealpost {

struct DispatcherMetrics {
  DispatcherMetrics();

  // Counts one attempt and what was decided.
  void attempted(const AttemptOutcome& outcome, const Decision& decision);

  Counter events_taken;
  Counter deliveries_created;
  Counter deliveries_claimed;
  Counter deliveries_taken_over;
  Counter deliveries_dropped;  // their lease was lost before they were started
  Counter leases_lost;
  Counter orphaned_results;

  std::array<Counter, 9>
      attempts_by_outcome;                    // success, http_error, then AttemptError in its order
  std::array<Counter, 6> responses_by_class;  // none, 1xx … 5xx
  Counter delivered;
  Counter retried;
  Counter dead_lettered;
  Counter endpoints_disabled;

  Histogram attempt_seconds;
  Histogram intake_seconds;
  Histogram finish_seconds;

  Gauge in_flight;
  Gauge open_circuits;

  // Numbers that others keep.
  struct Gauges {
    int queued = 0;
    std::size_t queued_bytes = 0;
    int unfinished = 0;
    int max_in_flight = 0;
    bool lease_held = false;
    bool store_reachable = false;
    std::uint64_t store_errors = 0;
    std::size_t buckets = 0;
    std::size_t endpoints_cached = 0;
    std::size_t endpoints_unusable = 0;
  };
  std::string text(const Gauges& gauges) const;
};

}  // namespace sealpost
