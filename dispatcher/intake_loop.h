// The intake thread: takes new events and waiting deliveries out of the store, as much as there is
// room for, and hands them to the network thread.
//
// Room. Everything leased is held in memory, so it is bounded: in all (kMaxQueued,
// kMaxQueuedBytes), and per endpoint by 1/32 of what is still free (kMaxQueuedPerEndpoint when all
// is). Sharing what is free, not what there is, keeps slow endpoints from filling the queue
// together: with N of them full, 1 / (1 + N/32) of it is left for all others. No room means no
// intake, and so does enough to send: events wait in the store.
//
// Turn. Events are taken in the order in which they were committed. While more wait than one
// statement takes, those of tenants who have few are also taken out of turn: the first by a
// statement of their own, and while there are any, all statements are small and take them along.
//
// Other dispatchers. What they fanned out for our endpoints is picked up before events are taken
// in: it is leased to us already. What has no room here is given back.
//
// Waiting deliveries (retries, endpoints that had no room) are found in three ways: our own retries
// are remembered with their time; endpoints that overflowed at intake, ours or another's, are; and
// a look into the store finds everything else (replays, takeovers, other dispatchers' retries), at
// most 5 % of the time.
//
// Threads: start(), stop(): any; everything else runs on the intake thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/delivery_store.h"
#include "core/endpoint_store.h"
#include "dispatcher/delivery_loop.h"
#include "dispatcher/dispatcher_metrics.h"
#include "dispatcher/endpoint_cache.h"
#include "dispatcher/finisher.h"
#include "dispatcher/inbox.h"
#include "dispatcher/look_pace.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/membership.h"
#include "dispatcher/retry_times.h"
#include "dispatcher/store_health.h"

namespace sealpost {

class IntakeLoop {
 public:
  struct Parts {
    std::unique_ptr<DeliveryStore> store;
    std::unique_ptr<EndpointSource> source;
    EndpointCache& endpoints;
    Inbox& inbox;
    DeliveryLoop& network;
    Finisher& finisher;
    RetryTimes& retry_times;
    Membership& membership;
    StoreHealth& health;
    DispatcherMetrics& metrics;
    const Clock& clock;
  };
  struct Polling {
    Milliseconds busy;
    Milliseconds idle;
  };
  IntakeLoop(Parts parts, Polling polling) : parts_(std::move(parts)), polling_(polling) {}

  void start() {
    thread_.start([this] { run(); });
  }
  void stop() { thread_.stop(); }
  const LoopThread& thread() const { return thread_; }

 private:
  enum class Next {
    at_once,
    after_pause_for_others,
    after_busy_poll,
    after_crowded_poll,
    after_idle_poll
  };

  void run();
  Milliseconds turn();
  Milliseconds idle_poll(MonotonicTime now) const;
  Next take_events(Epoch epoch, MonotonicTime now, bool enough);
  IntakeResult take(const IntakeRequest& request, MonotonicTime now);
  void look_out_of_turn(IntakeRequest& request, MonotonicTime now);
  bool others_wait(MonotonicTime now) const { return now < others_until_; }
  int intake_events(MonotonicTime now) const;
  IntakeRequest intake_request(Epoch epoch, MonotonicTime now);
  std::int64_t low_water_mark(MonotonicTime now);
  void learn_from(const IntakeResult& result);
  void find_waiting(MonotonicTime now);
  void note_waiting(const EndpointId& id);
  bool belongs_to_another(const EndpointId& id) const;
  bool claim_waiting(Epoch epoch, MonotonicTime now);
  std::vector<ClaimRequest> claim_requests(int at_most, MonotonicTime now);
  bool forget_emptied(const std::vector<ClaimRequest>& requests,
                      const std::vector<LeasedDelivery>& claimed, int at_most);
  void accept(std::vector<LeasedDelivery>& handed_over, MonotonicTime now);
  void hand_over();
  int total_room() const;
  int movable() const;
  int enough_movable() const;
  int room_per_endpoint() const;
  bool is_closed(const EndpointId& endpoint, MonotonicTime now) const;
  int room_of(const EndpointId& endpoint, MonotonicTime now) const;

  Parts parts_;
  const Polling polling_;
  Backoff backoff_;

  // Endpoints of which we hold deliveries, or which are closed: all others have the whole room.
  std::unordered_map<EndpointId, std::shared_ptr<EndpointLoad>> busy_;
  std::set<EndpointId> waiting_;     // endpoints with deliveries to claim
  EndpointId claimed_last_;          // where the turn in waiting_ stands
  Inbox::Contents not_handed_over_;  // leased, but their endpoints could not be loaded yet

  double deliveries_per_event_ = 1;
  double bytes_per_delivery_ = 1024;
  std::optional<MonotonicTime> last_event_;
  std::optional<MonotonicTime> last_work_;  // taken in or claimed
  std::int64_t highest_position_ = 0;
  std::int64_t from_position_ = 0;
  std::optional<MonotonicTime> last_sweep_;
  std::optional<MonotonicTime> next_look_;
  LookPace look_pace_;
  bool backlog_ = false;  // more wait than the last statement took
  // Out of turn: positions seen in all, at the last step back, and at the one before.
  MonotonicTime next_out_of_turn_{};
  std::int64_t newest_seen_ = 0;
  std::int64_t newest_before_ = 0;
  std::int64_t newest_from_ = 0;
  std::optional<MonotonicTime> looked_back_at_;
  std::optional<MonotonicTime> last_full_look_;
  MonotonicTime others_until_{};

  LoopThread thread_;  // last: it uses everything above
};

}  // namespace sealpost
