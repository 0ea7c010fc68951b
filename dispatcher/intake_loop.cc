#include "dispatcher/intake_loop.h"

#include <algorithm>
#include <array>

#include "core/limits.h"
#include "dispatcher/bucket_owner.h"

namespace sealpost {
namespace {

constexpr std::chrono::seconds kBusyFor{1};  // after the last event
// After so long without work half as many polls: of what an idle process costs, most is waking up,
// here and in PostgreSQL. Whatever comes first after a quiet time waits 5 ms longer at most by
// default.
constexpr std::chrono::seconds kQuietAfter{10};
constexpr int kQuietFactor = 2;
constexpr std::chrono::seconds kSweepInterval{1};  // full sweeps of intake, for late commits
constexpr Milliseconds kLookInterval{200};         // for waiting deliveries of all kinds
constexpr int kLookShare = 20;                     // a look may take 1/20 of the time
// Deliveries per claim statement. No events are taken in meanwhile: 2,000 took 250 ms right after a
// start, when everything was busy with what failed.
constexpr int kClaimLimit = 500;
// Endpoints named to it, each an index lookup. After an event for ten thousand endpoints each has
// one delivery that waits.
constexpr std::size_t kClaimEndpoints = 500;
// While the queue is full and events keep coming, let some room gather: a statement for a handful
// of events costs nearly as much as one for hundreds. 10 ms of sending at full speed are 300
// deliveries.
constexpr Milliseconds kCrowdedPoll{10};
// Enough to send for a while (70 ms at full speed): more is taken in only when less is left. Taking
// in all the time would fill the queue, and then there is room for a few events at once only, and
// each endpoint's share of what is free is smaller than what it has: its deliveries would be born
// pending and claimed later, at twice the price (measured: 46 % of a backlog for 64 endpoints).
constexpr int kEnoughMovable = 2 * kIntakeEvents;
// Those who came last while a backlog waits: an index scan of 0.2 ms. More would find
// tenants with more than 64 events in a burst.
constexpr int kNewestEvents = 512;
// A look at what came in lately costs PostgreSQL 13 us if that is nothing, and 150 to 200 us if the
// newest have to be counted (measured beside a flood of 500,000), without its transaction. Several
// dispatchers take turns.
constexpr Milliseconds kOutOfTurnPoll{5};
constexpr Milliseconds kOutOfTurnPollWithOthers{2};  // while there is somebody
// What was seen longer ago than this is looked at again once a second only, for late commits.
constexpr Milliseconds kLookBack{100};
// While others are waiting too, a statement for a thousand events stands in their way for 20 ms,
// and a backlog that keeps all cores busy makes their producers' commits and their requests wait
// for one. Smaller statements and a pause after each cost the backlog half of its speed, so only as
// long as there is somebody whom they spare time (decision 12 has the figures). Each takes the
// others along: asking first, and a statement of their own, doubles what they wait for.
constexpr int kIntakeEventsBesideOthers = 30;
constexpr Milliseconds kPauseBesideOthers{1};
constexpr std::chrono::seconds kOthersFor{1};  // after the last one
constexpr int kShareOfFreeRoom = kMaxQueued / kMaxQueuedPerEndpoint;
// An event for very many endpoints is taken in while another one of its size is still being sent.
// The rest of the queue has room for all of it: what does not fit is claimed later, at twice the
// price.
constexpr int kMostMovable = kMaxQueued / 3;

}  // namespace

void IntakeLoop::run() {
  while (!thread_.stopping()) {
    thread_.turned(parts_.clock.monotonic_now());
    Milliseconds pause{0};
    try {
      pause = turn();
      backoff_.reset();
    } catch (const StorageError& error) {
      // The statement may have leased deliveries to us that we will never hear of.
      if (error.kind() == StorageError::Kind::in_doubt) parts_.membership.doubt();
      parts_.health.failed("intake", error);
      pause = backoff_.after(error);
    }
    if (pause > Milliseconds{0}) thread_.sleep(pause);
  }
}

// One look at everything there may be to do. Returns how long to wait before the next one.
Milliseconds IntakeLoop::turn() {
  const MonotonicTime now = parts_.clock.monotonic_now();
  const Epoch epoch = parts_.membership.epoch();
  hand_over();
  if (!parts_.membership.covers(now)) return polling_.idle;
  // For both: what one of them brings in must not keep the other one from its turn.
  const bool enough = movable() >= enough_movable();
  const Next next = take_events(epoch, now, enough);
  find_waiting(now);
  const bool more_waiting = !enough && claim_waiting(epoch, now);
  parts_.health.reached("intake");
  if (more_waiting || next == Next::at_once) return Milliseconds{0};
  if (next == Next::after_pause_for_others) return kPauseBesideOthers;
  if (next == Next::after_crowded_poll) return kCrowdedPoll;
  if (next != Next::after_busy_poll) return idle_poll(now);
  // Who has enough to do leaves the processors to the others.
  return enough ? parts_.membership.dispatchers() * polling_.busy : polling_.busy;
}

Milliseconds IntakeLoop::idle_poll(MonotonicTime now) const {
  const bool quiet = !last_work_ || now - *last_work_ >= kQuietAfter;
  return quiet ? kQuietFactor * polling_.idle : polling_.idle;
}

IntakeLoop::Next IntakeLoop::take_events(Epoch epoch, MonotonicTime now, bool enough) {
  const bool out_of_turn = backlog_ && now >= next_out_of_turn_;
  const int pick_up = std::clamp(2 * enough_movable() - movable(), 0, total_room());
  const bool picks_up = pick_up > 0 && parts_.membership.dispatchers() > 1;
  if (total_room() == 0 || (enough && !out_of_turn && !picks_up)) return Next::after_busy_poll;
  const bool takes_others_along = backlog_ && !enough && others_wait(now);
  if ((out_of_turn && !takes_others_along) || enough) {
    // By itself: with hundreds of others in its statement an event would wait for all of them.
    IntakeRequest request = intake_request(epoch, now);
    request.max_events = 0;
    request.max_picked_up = picks_up ? pick_up : 0;
    request.largest_picked_up = kSmallHandover;
    if (out_of_turn) look_out_of_turn(request, now);
    const bool picked_up = !take(request, now).handed_over.empty();
    if (enough || total_room() == 0) return Next::after_busy_poll;
    if (picked_up) return Next::at_once;
  }
  if (now < look_pace_.next()) return Next::after_idle_poll;
  IntakeRequest request = intake_request(epoch, now);
  if (takes_others_along) request.newest = kNewestEvents;
  request.max_picked_up = pick_up;  // also if we are alone: those who died may have left something
  const IntakeResult result = take(request, now);
  if (!result.handed_over.empty()) return Next::at_once;  // and nothing was taken in
  if (result.busy) return Next::after_crowded_poll;       // another one hands ours over
  backlog_ = result.in_turn == request.max_events;
  if (backlog_) {
    if (request.max_events < intake_events(now)) return Next::after_crowded_poll;
    return others_wait(now) ? Next::after_pause_for_others : Next::at_once;
  }
  const bool busy = last_event_ && now - *last_event_ < kBusyFor;
  return busy ? Next::after_busy_poll : Next::after_idle_poll;
}

IntakeResult IntakeLoop::take(const IntakeRequest& request, MonotonicTime now) {
  const MonotonicTime began = parts_.clock.monotonic_now();
  IntakeResult result = parts_.store->intake(request);
  const MonotonicTime ended = parts_.clock.monotonic_now();
  parts_.metrics.intake_seconds.observe(std::chrono::duration<double>(ended - began).count());
  learn_from(result);
  const bool found = result.events > 0 || !result.handed_over.empty();
  if (found) last_event_ = last_work_ = now;
  if (request.max_events > 0) look_pace_.looked(ended, ended - began, found);
  not_handed_over_.deliveries = std::move(result.leased);
  accept(result.handed_over, now);
  hand_over();
  newest_seen_ = std::max(newest_seen_, result.newest_position);
  if (result.events > result.in_turn) {
    others_until_ = now + kOthersFor;
    parts_.finisher.keep_small_until(others_until_);
  }
  return result;
}

// What came in lately, and once a second everything.
void IntakeLoop::look_out_of_turn(IntakeRequest& request, MonotonicTime now) {
  request.newest = kNewestEvents;
  next_out_of_turn_ = now + parts_.membership.dispatchers() *
                                (others_wait(now) ? kOutOfTurnPollWithOthers : kOutOfTurnPoll);
  if (!looked_back_at_ || now - *looked_back_at_ >= kLookBack) {
    looked_back_at_ = now;
    newest_from_ = std::exchange(newest_before_, newest_seen_) + 1;
  }
  if (!last_full_look_ || now - *last_full_look_ >= kSweepInterval) {
    last_full_look_ = now;
    return;
  }
  request.newest_from = newest_from_;
}

int IntakeLoop::intake_events(MonotonicTime now) const {
  return others_wait(now) ? kIntakeEventsBesideOthers : kIntakeEvents;
}

IntakeRequest IntakeLoop::intake_request(Epoch epoch, MonotonicTime now) {
  const int room = total_room();
  IntakeRequest request;
  request.epoch = epoch;
  request.buckets = *parts_.membership.buckets();
  request.owners = *parts_.membership.owners();
  request.max_events =
      std::clamp(static_cast<int>(room / deliveries_per_event_), 1, intake_events(now));
  request.max_leased = room;
  request.max_handed_over = kMaxHandedOver;
  request.room_per_endpoint = room_per_endpoint();
  for (auto it = busy_.begin(); it != busy_.end();) {
    const int endpoint_room = room_of(it->first, now);
    const bool remembered = it->second->queued > 0 || busy_.size() <= kMaxClosedEndpoints;
    if (endpoint_room < request.room_per_endpoint && remembered) {
      request.rooms.push_back({it->first, endpoint_room});
      ++it;
    } else {
      it = busy_.erase(it);
    }
  }
  request.from_position = low_water_mark(now);
  return request;
}

// Events commit out of order: one may appear before a position that we saw already. Within a second
// nearly all have; so skip (dead) rows before what was the highest position a second ago, and once
// a second look at everything.
std::int64_t IntakeLoop::low_water_mark(MonotonicTime now) {
  if (last_sweep_ && now - *last_sweep_ < kSweepInterval) return from_position_;
  last_sweep_ = now;
  from_position_ = highest_position_;
  return 0;
}

void IntakeLoop::learn_from(const IntakeResult& result) {
  constexpr double kWeight = 0.3;  // of the newest batch
  parts_.metrics.events_taken.add(static_cast<std::uint64_t>(result.events));
  parts_.metrics.deliveries_created.add(static_cast<std::uint64_t>(result.deliveries));
  highest_position_ = std::max(highest_position_, result.last_position);
  for (const EndpointId& id : result.overflowed) note_waiting(id);
  if (result.events > 0) {
    const double fan_out = static_cast<double>(result.deliveries) / result.events;
    deliveries_per_event_ += kWeight * (std::max(fan_out, 1.0) - deliveries_per_event_);
  }
  for (const auto* deliveries : {&result.leased, &result.handed_over}) {
    if (deliveries->empty()) continue;
    double bytes = 0;
    for (const LeasedDelivery& delivery : *deliveries) {
      bytes += static_cast<double>(delivery.event->payload.size());
    }
    bytes /= static_cast<double>(deliveries->size());
    bytes_per_delivery_ =
        std::max(1.0, bytes_per_delivery_ + kWeight * (bytes - bytes_per_delivery_));
  }
}

void IntakeLoop::find_waiting(MonotonicTime now) {
  for (const EndpointId& id : parts_.retry_times.take_due(now)) note_waiting(id);
  if (next_look_ && now < *next_look_) return;
  const MonotonicTime began = parts_.clock.monotonic_now();
  const Membership::Buckets buckets = parts_.membership.buckets();
  for (const EndpointId& id : parts_.store->endpoints_with_due(*buckets, kMaxWaitingEndpoints)) {
    note_waiting(id);
  }
  const MonotonicTime ended = parts_.clock.monotonic_now();
  next_look_ =
      ended + std::max<MonotonicTime::duration>(kLookInterval, kLookShare * (ended - began));
}

// Beyond the limit a later look finds it.
void IntakeLoop::note_waiting(const EndpointId& id) {
  if (waiting_.size() < kMaxWaitingEndpoints) waiting_.insert(id);
}

// Our own retries may be for endpoints that another dispatcher serves by now. It finds them itself.
bool IntakeLoop::belongs_to_another(const EndpointId& id) const {
  const ReadyEndpointPtr known = parts_.endpoints.find(id);
  return known != nullptr && !owns(*parts_.membership.buckets(), known->endpoint().bucket);
}

// True if there is probably more to claim right now.
bool IntakeLoop::claim_waiting(Epoch epoch, MonotonicTime now) {
  const int at_most = std::min(total_room(), kClaimLimit);
  const std::vector<ClaimRequest> requests = claim_requests(at_most, now);
  if (requests.empty()) return false;
  std::vector<LeasedDelivery> claimed = parts_.store->claim(epoch, requests, at_most);
  const bool more = forget_emptied(requests, claimed, at_most);
  if (!claimed.empty()) last_work_ = now;
  parts_.metrics.deliveries_claimed.add(claimed.size());
  not_handed_over_.deliveries = std::move(claimed);
  hand_over();
  return more;
}

// Lanes are filled up when they are half empty, taking turns from where the last claim ended.
std::vector<ClaimRequest> IntakeLoop::claim_requests(int at_most, MonotonicTime now) {
  std::vector<ClaimRequest> requests;
  if (at_most == 0) return requests;
  const int lane = std::min(room_per_endpoint(), at_most);
  auto next = waiting_.upper_bound(claimed_last_);
  for (std::size_t looked_at = waiting_.size(); looked_at > 0; --looked_at) {
    if (requests.size() == kClaimEndpoints) break;
    if (next == waiting_.end()) next = waiting_.begin();
    const int room = std::min(room_of(*next, now), at_most);
    const bool has_room = room > 0 && 2 * room >= lane;
    // Closed or another's: a look finds it again when that has changed.
    if (has_room ? belongs_to_another(*next) : room == 0 && is_closed(*next, now)) {
      next = waiting_.erase(next);
      continue;
    }
    if (has_room) requests.push_back({*next, room});
    ++next;
  }
  return requests;
}

// Those endpoints of which nothing is left, or what is left is claimed by another dispatcher. Which
// ones a claim has not come to is known only if it stopped early. True if more waits.
bool IntakeLoop::forget_emptied(const std::vector<ClaimRequest>& requests,
                                const std::vector<LeasedDelivery>& claimed, int at_most) {
  std::unordered_map<EndpointId, int> counts;
  for (const LeasedDelivery& delivery : claimed) ++counts[delivery.endpoint_id];
  const bool stopped = static_cast<int>(claimed.size()) >= at_most;
  claimed_last_ = stopped ? claimed.back().endpoint_id : requests.back().endpoint_id;
  bool more = false;
  for (const ClaimRequest& request : requests) {
    const auto found = counts.find(request.endpoint_id);
    const int count = found == counts.end() ? 0 : found->second;
    const bool perhaps_more = stopped && (count == 0 || request.endpoint_id == claimed_last_);
    if (count >= request.limit || perhaps_more) {
      more = true;
    } else {
      waiting_.erase(request.endpoint_id);
    }
  }
  return more;
}

// Who fanned these out for us did not know what room our endpoints have.
void IntakeLoop::accept(std::vector<LeasedDelivery>& handed_over, MonotonicTime now) {
  std::unordered_map<EndpointId, int> rooms;
  for (LeasedDelivery& delivery : handed_over) {
    const auto [room, is_new] = rooms.try_emplace(delivery.endpoint_id, 0);
    if (is_new) room->second = room_of(delivery.endpoint_id, now);
    const bool wanted = room->second-- > 0;
    (wanted ? not_handed_over_.deliveries : not_handed_over_.unwanted)
        .push_back(std::move(delivery));
  }
}

// If the endpoints cannot be loaded, this throws and the deliveries wait here for the next turn:
// they are leased to us, nobody else will send them.
void IntakeLoop::hand_over() {
  const std::array lists{&not_handed_over_.deliveries, &not_handed_over_.unwanted};
  for (const auto* deliveries : lists) {
    if (deliveries->empty()) continue;
    for (const auto& endpoint : parts_.endpoints.endpoints_of(*deliveries, *parts_.source)) {
      busy_.emplace(endpoint->endpoint().id, endpoint->load);
    }
  }
  if (not_handed_over_.empty()) return;
  for (const auto* deliveries : lists) {
    for (const LeasedDelivery& delivery : *deliveries) ++busy_[delivery.endpoint_id]->queued;
  }
  parts_.inbox.put(std::exchange(not_handed_over_, {}));
  parts_.network.wake();
}

int IntakeLoop::total_room() const {
  const std::size_t bytes = parts_.inbox.queued_bytes();
  if (bytes >= kMaxQueuedBytes) return 0;
  const double by_bytes = static_cast<double>(kMaxQueuedBytes - bytes) / bytes_per_delivery_;
  const int by_count = std::max(0, kMaxQueued - parts_.inbox.queued());
  return by_bytes < by_count ? static_cast<int>(by_bytes) : by_count;
}

// Handed over and not held up by its endpoint; what the network thread has not looked at counts.
int IntakeLoop::movable() const { return parts_.inbox.queued() - parts_.network.held_up(); }

// When there is less, what others have handed over is picked up until there is twice as much: a
// statement for one handover costs nearly as much as one for several.
int IntakeLoop::enough_movable() const {
  return std::clamp(static_cast<int>(deliveries_per_event_), kEnoughMovable, kMostMovable);
}

int IntakeLoop::room_per_endpoint() const {
  return std::clamp(total_room() / kShareOfFreeRoom, 1, kMaxQueuedPerEndpoint);
}

bool IntakeLoop::is_closed(const EndpointId& endpoint, MonotonicTime now) const {
  const auto found = busy_.find(endpoint);
  return found != busy_.end() && !found->second->is_open(now);
}

int IntakeLoop::room_of(const EndpointId& endpoint, MonotonicTime now) const {
  const auto found = busy_.find(endpoint);
  if (found == busy_.end()) return room_per_endpoint();
  const EndpointLoad& load = *found->second;
  if (!load.is_open(now)) return 0;
  return std::max(0, room_per_endpoint() - load.queued.load());
}

}  // namespace sealpost
