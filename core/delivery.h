// A delivery: one event for one endpoint. The unit that has a state.
//
//   (fan-out) ──► pending ◄──► delivering ──► delivered            final
//                    │             │    └───► failed               final, a dead letter
//                    └─────────────┴────────► skipped | canceled   final
//   failed, skipped ──► pending   (an operator replays: generation + 1, attempts start again at 1)
//
// Where it stands says most of it: pending and delivering ones are in `deliveries`, failed ones in
// `dead_letters`, all other final ones in `delivery_history`. docs/STATE_MACHINE.md draws
// it with the statements; the schema's CHECK constraints name the same words, and a test compares
// the two.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/event.h"
#include "core/ids.h"

namespace sealpost {

enum class DeliveryState {
  pending,     // waits for its first or next attempt
  delivering,  // a dispatcher holds it under a lease
  delivered,   // a 2xx came
  failed,      // given up; in the dead letter queue with a reason
  skipped,     // its endpoint was disabled
  canceled,    // stopped by an operator
};

std::string_view to_text(DeliveryState state);
std::optional<DeliveryState> delivery_state_from_text(std::string_view text);

// Why a delivery was dead-lettered. A closed set: metrics and filters use these words.
enum class FailureReason {
  attempts_exhausted,  // the last attempt of the schedule failed
  rejected,            // an answer that ends the delivery under its retry policy (a 4xx)
  gone,                // 410
  blocked_by_policy,   // the address, port or URL may not be called
  payload_refused,     // the endpoint's profile cannot carry it (binary where JSON is needed)
  endpoint_deleted,    // the endpoint was deleted while the delivery waited
  internal,            // our own fault: signing or building the request failed
};

std::string_view to_text(FailureReason reason);
std::optional<FailureReason> failure_reason_from_text(std::string_view text);

// Deliveries that were leased when they were made, all by one statement. The batch stands in the
// store for each of them until something becomes of it: an end, or a row of its own.
struct DeliveryBatch {
  std::string id;  // what its deliveries' ids begin with
  int open = 0;    // of which nothing has become; counted by the thread that reports results
};

// A delivery that this process holds under a lease.
struct LeasedDelivery {
  DeliveryId id;
  EndpointId endpoint_id;
  std::shared_ptr<const Event> event;  // shared by all deliveries of the event in one batch
  Epoch epoch = 0;                     // whose lease it is
  int generation = 1;                  // 1, plus one for every replay
  int attempts_made = 0;               // in this generation; the next attempt is attempts_made + 1
  int endpoint_version = 0;            // the endpoint's version when this was leased
  std::shared_ptr<DeliveryBatch> batch{};  // null: it has a row of its own in the store
  std::int64_t position = 0;               // of its event in intake; 0 unless in a batch
};

}  // namespace sealpost
