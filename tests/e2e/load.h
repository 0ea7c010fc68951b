// A load for fault tests: endpoints of several tenants with a receiver behind them, and events for
// each.
//
// Threads: one. Errors: as tests/e2e/installation.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {

// Small, so that a bound on duplicates means something.
inline constexpr std::size_t kLoadInFlight = 128;

class Load {
 public:
  // 16 endpoints of 8 tenants; every event of a tenant goes to two of them.
  explicit Load(Installation& installation);

  // Inserts that many events, spread over the tenants, in transactions of at most 250.
  void insert(int events);

  // A dispatcher with kLoadInFlight. The same instance name means the same process, restarted.
  std::unique_ptr<SealpostProcess> start_dispatcher(const std::string& instance,
                                                    const Environment& more = {});

  // Waits until that many different deliveries were answered 2xx; all of them by default.
  [[nodiscard]] bool wait_for_accepted(std::size_t deliveries, std::chrono::milliseconds timeout);
  [[nodiscard]] bool wait_until_all_accepted(std::chrono::milliseconds timeout) {
    return wait_for_accepted(installation_.committed().deliveries.size(), timeout);
  }

  // Once everything is at rest.
  Findings findings();

  // Events that are under a lease now.
  std::set<std::string> leased_events();
  // When the receiver saw the first request for one of these events that began after `since`.
  std::optional<MonotonicTime> first_request_for(const std::set<std::string>& events,
                                                 MonotonicTime since) const;

  Receiver& receiver() { return receiver_; }

 private:
  Installation& installation_;
  Receiver receiver_;
};

}  // namespace sealpost
