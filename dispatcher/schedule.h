// In which order deliveries start. A pure data structure: no clock, no locks, no I/O.
//
// Each endpoint has a lane: its queue, the number of its requests in flight, and until when it is
// paused. Lanes that may start one take turns, one delivery each, so nobody waits behind a busy
// neighbor. Within a lane deliveries start in the order they came.
//
// Three limits: the endpoint's max_in_flight; the dispatcher's; and a lane may never hold more
// slots than are still free. The third keeps hanging endpoints from taking every slot: with N of
// them and 1,024 slots each holds at most 1,024 / (N + 1), and as many are left for all others (a
// "dynamic threshold", Choudhury and Hahne 1998). The price: a single busy endpoint gets half of
// the slots. That alone leaves nothing when one endpoint after the other starts to hang, for what
// hangs gives nothing back. So the last quarter of the slots is for lanes whose requests are
// answered within a second, and for those that have nothing in flight yet.
//
// Besides, an endpoint's own rate limit spaces its requests; after signs of overload it gets fewer
// at once for a while (concurrency_window.h); and while it does not work at all, one probe now and
// then (circuit.h). Until its circuit opens, which takes seconds, an endpoint that fails every time
// gets one request at a time, and all of those together a bounded number per second: what refuses
// connections at once would take more turns than anyone else. What a lane learned about its
// endpoint outlives its work by ten minutes, and ends when an operator changes the endpoint.
//
// Belongs to one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/attempt.h"
#include "core/delivery.h"
#include "dispatcher/circuit.h"
#include "dispatcher/concurrency_window.h"
#include "dispatcher/endpoint_cache.h"
#include "dispatcher/rate_limit.h"

namespace sealpost {

class Schedule {
 public:
  explicit Schedule(int max_in_flight) : max_in_flight_(max_in_flight) {}

  // Adds a delivery to the end of its endpoint's lane.
  void add(ReadyEndpointPtr endpoint, LeasedDelivery delivery);

  // The endpoint's settings changed; from now on they hold for what is queued, too, and what was
  // learned about the endpoint is forgotten. Nothing if it has no lane at the moment.
  void update(const ReadyEndpointPtr& endpoint);

  struct Start {
    ReadyEndpointPtr endpoint;
    LeasedDelivery delivery;
  };
  // The next delivery to start, now in flight until ended(). nullopt: none may start.
  std::optional<Start> next(MonotonicTime now);

  // What next() gave out was not sent after all.
  void withdrawn(const EndpointId& endpoint);

  // A request to this endpoint ended with that outcome.
  struct Ended {
    const EndpointId& endpoint;
    const AttemptOutcome& outcome;
    MonotonicTime started_at;
    MonotonicTime now;
  };
  struct CircuitOpened {
    MonotonicTime until;  // nothing is sent before; then one probe
  };
  struct CircuitClosed {};
  using CircuitChange = std::variant<std::monostate, CircuitOpened, CircuitClosed>;
  CircuitChange ended(const Ended& request);

  // Starts nothing for the endpoint before `until`, unless it was paused for longer already. Called
  // before ended() for the request that caused it: an idle lane is forgotten.
  void pause(const EndpointId& endpoint, MonotonicTime until);

  // When the next pause of a lane ends, if any is paused.
  std::optional<MonotonicTime> next_resume() const;

  // Takes what is queued out again: of one endpoint, or everything. What is in flight stays.
  std::vector<LeasedDelivery> take_queued(const EndpointId& endpoint);
  std::vector<Start> take_all();

  // Endpoints with a rate limit that have something queued.
  std::vector<ReadyEndpointPtr> rate_limited() const;

  int queued() const { return queued_; }
  // Queued in lanes that are not paused and below their endpoint's limit, as far as those can
  // start it soon (kSoon). What waits for endpoints that hang or are slow does not count, or it
  // would look like enough to do while others have nothing.
  int movable() const { return movable_; }
  // Some lane waits for nothing but a slot.
  bool wants_slots() const { return !turns_.empty(); }
  int in_flight() const { return in_flight_; }
  std::size_t lanes() const { return lanes_.size(); }
  int open_circuits() const { return open_circuits_; }

 private:
  // What a lane starts soon as long as no request of it has ended. 64 of them are enough to do;
  // after a start beside a backlog for endpoints that hang, those should not be.
  static constexpr int kUnknownSoon = 32;

  struct Lane {
    ReadyEndpointPtr endpoint;
    std::deque<LeasedDelivery> queue;
    int in_flight = 0;
    bool in_turn = false;           // stands in turns_
    int counted = 0;                // of its queue, in movable_
    int soon = kUnknownSoon;        // what it can start soon, if so much is queued
    MonotonicTime progressed_at{};  // last end, or start after there was nothing in flight
    std::optional<MonotonicTime::duration> took;  // by a request, averaged; unknown after a failure
    std::optional<MonotonicTime> paused_until;
    RateLimit rate;
    ConcurrencyWindow window;
    Circuit circuit;
    MonotonicTime learned_until{};              // then what window and circuit know is too old
    std::optional<MonotonicTime> looked_after;  // when resumes_ brings it up to be forgotten
  };
  using Lanes = std::unordered_map<EndpointId, Lane>;
  using Resume = std::pair<MonotonicTime, EndpointId>;

  static int limit_of(const Lane& lane);
  static bool is_quick(const Lane& lane, MonotonicTime now);
  int slots_for(const Lane& lane, MonotonicTime now) const;
  static void learn_pace(Lane& lane, const Ended& request);
  void estimate(Lane& lane, MonotonicTime now);
  void count(Lane& lane);
  CircuitChange learn(Lane& lane, const Ended& request);
  void pause(Lane& lane, const EndpointId& endpoint, MonotonicTime until);
  void space_failing(Lane& lane, const EndpointId& endpoint, MonotonicTime now);
  void take_turn(Lane& lane);
  Lane& first_in_turn();
  void leave_turns(Lane& lane);
  void resume(MonotonicTime now);
  static bool is_idle(const Lane& lane);
  void forget(Lanes::iterator lane);
  void forget_if_idle(Lanes::iterator lane);
  void forget_if_learned_nothing(Lanes::iterator lane, MonotonicTime now);

  int max_in_flight_;
  int queued_ = 0;
  int movable_ = 0;  // sum of what is counted of the lanes in turns_
  int in_flight_ = 0;
  int open_circuits_ = 0;
  MonotonicTime next_failing_{};  // before that no endpoint that fails every time is tried
  // Only those with work, a pause or something learned; at most kMaxLanes without work.
  Lanes lanes_;
  std::deque<Lane*> turns_;  // lanes with a queue, not paused, below their endpoint's limit
  std::priority_queue<Resume, std::vector<Resume>, std::greater<>> resumes_;
};

}  // namespace sealpost
