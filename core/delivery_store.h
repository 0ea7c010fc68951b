// Where deliveries live between attempts. A dispatcher takes in events, claims deliveries that are
// due, holds each under a lease while it sends, and reports what happened.
//
// Guarantee: at least once. A delivery whose holder died is leased again by another; receivers can
// tell by the ids, which stay the same.
//
// Time: leases and schedules run by the store's clock, so dispatchers need not agree on the time.
// Threads: an instance belongs to one thread (it is one connection).
// Errors: every method may throw StorageError, and then nothing has changed unless kind() is
// in_doubt. Calls may be repeated after any error: intake and claim name rows that are not leased
// yet, finish and release name the lease they end.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/secret_text.h"
#include "core/attempt.h"
#include "core/delivery.h"
#include "core/retry_policy.h"

namespace sealpost {

// How many deliveries of one endpoint a dispatcher can take.
struct EndpointRoom {
  EndpointId endpoint_id;
  int room = 0;
};

struct IntakeRequest {
  Epoch epoch = 0;
  std::vector<std::int16_t> buckets;  // endpoints in these buckets are born leased to us
  std::vector<Epoch> owners;          // whose each bucket is; empty if we are alone
  int max_events = 0;                 // events to take out of intake in turn
  int newest = 0;                     // of the newest events, those of tenants with few among them
  std::int64_t newest_from = 0;       // by themselves only if one of those came from here on
  int max_leased = 0;                 // deliveries to lease in all
  int max_picked_up = 0;  // of what others have handed over (one handover more at most); 0: none
  int largest_picked_up = std::numeric_limits<int>::max();  // handovers of more deliveries wait
  int max_handed_over = 0;          // deliveries that may wait for each of the other dispatchers
  int room_per_endpoint = 0;        // for every endpoint that is not in `rooms`
  std::vector<EndpointRoom> rooms;  // endpoints with less room than that (or none)
  std::int64_t from_position = 0;   // skip intake rows before it (see IntakeResult)
};

struct IntakeResult {
  bool busy = false;                   // another dispatcher is taking events in right now
  int events = 0;                      // taken
  int in_turn = 0;                     // of those; max_events means that there are probably more
  int deliveries = 0;                  // created in all
  std::vector<LeasedDelivery> leased;  // to us, in intake order
  std::vector<LeasedDelivery> handed_over;  // to us by others; then nothing was taken in
  std::vector<EndpointId> overflowed;       // endpoints in our buckets with deliveries born pending
  std::int64_t last_position = 0;    // up to it nothing waits, as far as was seen; 0: unknown
  std::int64_t newest_position = 0;  // of the newest event looked at out of turn; 0 if none
};

// Deliveries of one endpoint that wait in the store.
struct ClaimRequest {
  EndpointId endpoint_id;
  int limit = 0;  // what it has room for
};

// An attempt that ended, and what was decided about its delivery.
struct FinishedAttempt {
  LeasedDelivery delivery;
  int attempt_number = 1;
  bool in_order = false;   // others of its endpoint wait until it is settled
  WallTime started_at;     // wall clock of the dispatcher, for people
  MonotonicTime ended_at;  // for the age below
  AttemptOutcome outcome;
  std::string signature_key_ids;  // fingerprints of the secrets that signed, comma separated
  Decision decision;
  std::shared_ptr<const SecretText> response_payload{};  // what an encrypted answer said, if it did
};

struct FinishResult {
  int applied = 0;
  std::vector<DeliveryId> orphaned;  // the lease was lost; their attempts are recorded all the same
};

class DeliveryStore {
 public:
  virtual ~DeliveryStore() = default;

  // Takes the oldest events out of intake and makes one delivery per matching endpoint, in one
  // transaction. Out of turn it also takes, from the `newest` events, those of tenants that have at
  // most an eighth of them and no endpoint with ordering, so that a tenant who floods the outbox
  // keeps only itself waiting. Deliveries of endpoints in `buckets` that have room are leased to
  // `epoch` and returned; those of endpoints of other dispatchers are leased to these and handed
  // over: their next call returns them, whatever room their endpoints have. All others are born
  // pending. Deliveries for disabled endpoints are
  // recorded as skipped. Takes nothing if `epoch` was ended.
  virtual IntakeResult intake(const IntakeRequest& request) = 0;

  // Endpoints in `buckets` that have deliveries due now. At most `limit`.
  virtual std::vector<EndpointId> endpoints_with_due(std::span<const std::int16_t> buckets,
                                                     int limit) = 0;

  // Leases the oldest due deliveries of the given endpoints to `epoch`: those that come next in an
  // order first, then one endpoint after the other until there are `at_most` in all. Never waits
  // for rows that another dispatcher is claiming. Takes nothing if `epoch` was ended.
  virtual std::vector<LeasedDelivery> claim(Epoch epoch, std::span<const ClaimRequest> requests,
                                            int at_most) = 0;

  // Records attempts and moves their deliveries on, all or nothing. `now` turns ended_at into an
  // age, so that delays count from the end of the attempt by the store's clock. An attempt whose
  // lease was lost is recorded, its delivery stays as it is. Recording the same attempt again
  // changes nothing.
  virtual FinishResult finish(std::span<const FinishedAttempt> attempts, MonotonicTime now) = 0;

  // Gives back deliveries for which no request was started: due at once, as they were before.
  virtual void release(Epoch epoch, std::span<const LeasedDelivery> unsent) = 0;

  // Ends deliveries that are leased to `epoch` without an attempt: skipped (disabled endpoint) or
  // failed for `reason` (deleted endpoint, payload that cannot be sent).
  virtual void skip(Epoch epoch, std::span<const LeasedDelivery> deliveries) = 0;
  virtual void fail(Epoch epoch,
                    std::span<const std::pair<LeasedDelivery, FailureReason>> deliveries) = 0;

  // Gives what is left of the batches of `epoch` that are older than `age` rows of their own, so
  // that one slow delivery does not keep a thousand others in the list of what a crash must look
  // at. To be called by the thread that calls finish().
  virtual void break_up_batches(Epoch epoch, std::chrono::seconds age) = 0;
};

}  // namespace sealpost
