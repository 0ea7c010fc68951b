// What operators read about events, deliveries and attempts, and the two things they may do with a
// dead letter: replay it or delete it.
//
// `tenant` limits what can be seen and touched; nullopt sees all. Something that belongs to another
// tenant does not exist. Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/attempt.h"
#include "core/delivery.h"
#include "core/endpoint_store.h"
#include "core/event.h"

namespace sealpost {

struct DeliveryRecord {
  DeliveryId id;
  EventId event_id;
  EndpointId endpoint_id;
  std::string tenant;
  std::string event_type;
  DeliveryState state = DeliveryState::pending;
  std::optional<FailureReason> reason;
  int generation = 1;
  int attempts_made = 0;
  std::optional<int> last_status_code;
  std::optional<WallTime> next_attempt_at;  // pending only
  WallTime created_at;
  std::optional<WallTime> finished_at;  // final states only
};

struct AttemptRecord {
  int generation = 1;
  int number = 1;
  WallTime started_at;
  AttemptOutcome outcome;
  std::string signature_key_ids;
  bool orphaned = false;  // its lease had been lost when it ended
};

// What a receiver answered encrypted (core/sealed_response.h).
struct ResponsePayload {
  std::optional<SecretText> text;  // nullopt: stored under a master key that is not among ours
};

struct DeliveryFilter {
  std::optional<EndpointId> endpoint_id;
  std::optional<EventId> event_id;
  std::optional<std::string> event_type;
  std::optional<DeliveryState> state;
  std::optional<WallTime> created_after;
  std::optional<WallTime> created_before;
};

enum class ReplayResult { replayed, not_found, endpoint_disabled, endpoint_deleted };

class HistoryStore {
 public:
  virtual ~HistoryStore() = default;
  virtual std::optional<Event> event(const std::optional<std::string>& tenant,
                                     const EventId& id) = 0;
  virtual Page<Event> events(const std::optional<std::string>& tenant, const PageRequest& page) = 0;
  virtual std::optional<DeliveryRecord> delivery(const std::optional<std::string>& tenant,
                                                 const DeliveryId& id) = 0;
  virtual Page<DeliveryRecord> deliveries(const std::optional<std::string>& tenant,
                                          const DeliveryFilter& filter,
                                          const PageRequest& page) = 0;
  // nullopt: there is none.
  virtual std::optional<ResponsePayload> response_payload(const std::optional<std::string>& tenant,
                                                          const DeliveryId& id) = 0;
  // Oldest first.
  virtual std::vector<AttemptRecord> attempts(const DeliveryId& id) = 0;
  // The dead letter becomes pending under the next generation. `keep_idempotency_key` is not
  // offered here yet: a replay always has a new key.
  virtual ReplayResult replay(const std::optional<std::string>& tenant, const DeliveryId& id) = 0;
  // Removes a dead letter for good: it becomes canceled in the history. False: no such dead letter.
  virtual bool discard_dead_letter(const std::optional<std::string>& tenant,
                                   const DeliveryId& id) = 0;
};

}  // namespace sealpost
