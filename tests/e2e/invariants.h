// Holds three kinds of evidence against one another: what producers committed, what the receiver
// saw and answered, and what stands in the database when everything is at rest. Pure: it reads
// nothing itself, so that a test can show that each finding is found (invariants_test.cc).
//
// For runs without replays: every delivery is of generation 1.
#pragma once

#include <cstddef>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "tests/support/ledger.h"

namespace sealpost {

// One event for one endpoint; endpoints are known by the path of their URL.
struct DeliveryName {
  std::string event_id;
  std::string path;
  auto operator<=>(const DeliveryName&) const = default;
};

// What was committed, and where it had to go.
struct Committed {
  std::map<std::string, std::string> payloads;  // by event id
  std::set<DeliveryName> deliveries;
};

// What the database says at rest.
struct Stored {
  struct Final {
    DeliveryName name;
    std::string state;     // delivered, skipped, canceled, failed
    WallTime finished_at;  // when its end was written
  };
  std::vector<Final> finals;
  std::map<DeliveryName, std::size_t> attempts;  // recorded requests
  std::size_t unfinished = 0;  // rows still pending or delivering, or not fanned out
  std::size_t leased = 0;
};

// All zero is good; some are allowed up to a bound by the fault that was injected.
struct Findings {
  // No loss: neither answered 2xx nor a dead letter nor canceled. Always 0.
  std::size_t lost = 0;
  // No phantom: a request for something never committed, to an endpoint that should not have it,
  // with a body that is not the committed payload, or under another delivery's Idempotency-Key.
  // Always 0.
  std::size_t unexpected = 0;
  // Requests answered 2xx beyond the first of a delivery. At most what was in flight at a crash.
  std::size_t duplicated = 0;
  // Silence after settled: requests that came after the delivery's end had been written. Always 0.
  std::size_t after_end = 0;
  // Complete history: requests without an attempt row. At most what was in flight at a crash.
  std::size_t unrecorded = 0;
  // Deliveries with two ends, or a delivered one that the receiver never accepted. Always 0.
  std::size_t contradicted = 0;
  // Nothing left over at rest. Always 0.
  std::size_t unfinished = 0;
  std::size_t leased = 0;

  bool operator==(const Findings&) const = default;
};

Findings find_violations(const Committed& committed, const Ledger& ledger, const Stored& stored);

// "lost=0 unexpected=0 …", for failure messages.
std::ostream& operator<<(std::ostream& out, const Findings& findings);

}  // namespace sealpost
