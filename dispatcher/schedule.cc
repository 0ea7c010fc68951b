#include "dispatcher/schedule.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/limits.h"

namespace sealpost {
namespace {

constexpr std::chrono::minutes kLearnedFor{10};
// With 1,024 slots lanes whose requests take T can start 1,024 * 250 ms / T soon. So those that
// take longer than 130 ms never look like enough to do (2,000: kEnoughMovable).
constexpr std::chrono::milliseconds kSoon{250};
constexpr std::chrono::seconds kQuick{1};
constexpr int kShareForQuick = 4;
// Between requests to endpoints that fail every time, all together. Each failure costs a connection
// and a rewritten row.
constexpr std::chrono::milliseconds kFailingSpace{2};

}  // namespace

std::optional<Schedule::Start> Schedule::next(MonotonicTime now) {
  resume(now);
  if (in_flight_ >= max_in_flight_) return std::nullopt;
  // A lane that is passed over holds a slot at least, and mostly many.
  for (std::size_t looked_at = turns_.size(); looked_at > 0; --looked_at) {
    Lane& lane = first_in_turn();
    if (lane.in_flight >= std::min(slots_for(lane, now), limit_of(lane))) {
      estimate(lane, now);
      take_turn(lane);
      continue;
    }
    Start start{lane.endpoint, std::move(lane.queue.front())};
    lane.queue.pop_front();
    --queued_;
    if (lane.in_flight == 0) lane.progressed_at = now;
    ++lane.in_flight;
    ++in_flight_;
    estimate(lane, now);
    if (const auto rate = lane.endpoint->endpoint().rate_per_second()) {
      const MonotonicTime following = lane.rate.started(now, *rate);
      if (following > now) pause(lane, start.delivery.endpoint_id, following);
    }
    take_turn(lane);
    return start;
  }
  return std::nullopt;
}

void Schedule::add(ReadyEndpointPtr endpoint, LeasedDelivery delivery) {
  Lane& lane = lanes_[delivery.endpoint_id];
  lane.endpoint = std::move(endpoint);
  lane.queue.push_back(std::move(delivery));
  ++queued_;
  if (lane.in_turn) count(lane);
  take_turn(lane);
}

void Schedule::update(const ReadyEndpointPtr& endpoint) {
  const auto found = lanes_.find(endpoint->endpoint().id);
  if (found == lanes_.end()) return;
  Lane& lane = found->second;
  lane.endpoint = endpoint;
  if (!lane.circuit.is_closed()) --open_circuits_;
  lane.rate = {};
  lane.window = {};
  lane.circuit = {};
  lane.took.reset();
  lane.paused_until.reset();
  take_turn(lane);
}

void Schedule::withdrawn(const EndpointId& endpoint) {
  const auto found = lanes_.find(endpoint);
  CHECK(found != lanes_.end() && found->second.in_flight > 0, "a request ended that never started");
  --found->second.in_flight;
  --in_flight_;
  take_turn(found->second);
  forget_if_idle(found);
}

Schedule::CircuitChange Schedule::ended(const Ended& request) {
  const auto found = lanes_.find(request.endpoint);
  CHECK(found != lanes_.end() && found->second.in_flight > 0, "a request ended that never started");
  Lane& lane = found->second;
  const CircuitChange change = learn(lane, request);
  --lane.in_flight;
  --in_flight_;
  lane.progressed_at = request.now;
  learn_pace(lane, request);
  estimate(lane, request.now);
  if (lane.in_turn) count(lane);
  if (lane.circuit.is_failing()) space_failing(lane, request.endpoint, request.now);
  take_turn(lane);
  forget_if_learned_nothing(found, request.now);
  return change;
}

Schedule::CircuitChange Schedule::learn(Lane& lane, const Ended& request) {
  const AttemptOutcome& outcome = request.outcome;
  lane.learned_until = request.now + kLearnedFor;
  if (outcome.receiver_overloaded()) {
    lane.window.overloaded(request.started_at, request.now, lane.in_flight);
  } else if (outcome.succeeded()) {
    lane.window.succeeded(lane.endpoint->endpoint().settings.max_in_flight);
  }
  if (outcome.receiver_failed()) {
    const bool was_closed = lane.circuit.is_closed();
    const auto pause_for = lane.circuit.failed(request.started_at, request.now);
    if (!pause_for) return {};
    if (was_closed) ++open_circuits_;
    pause(lane, request.endpoint, request.now + *pause_for);
    return CircuitOpened{request.now + *pause_for};
  }
  if (!outcome.status_code || !lane.circuit.answered(request.started_at)) return {};
  --open_circuits_;
  return CircuitClosed{};
}

// What fails, fails fast or slowly for reasons of its own, and will be held up soon.
void Schedule::learn_pace(Lane& lane, const Ended& request) {
  if (request.outcome.receiver_failed()) return lane.took.reset();
  const auto took = request.now - request.started_at;
  lane.took = lane.took ? *lane.took + (took - *lane.took) / 4 : took;
}

// One at a time while the circuit is open, the probe, or about to open.
int Schedule::limit_of(const Lane& lane) {
  if (!lane.circuit.is_closed() || lane.circuit.is_failing()) return 1;
  return lane.window.limit(lane.endpoint->endpoint().settings.max_in_flight);
}

bool Schedule::is_quick(const Lane& lane, MonotonicTime now) {
  return lane.took && std::max(*lane.took, now - lane.progressed_at) <= kQuick;
}

// More than a lane may have in flight.
int Schedule::slots_for(const Lane& lane, MonotonicTime now) const {
  const int free = max_in_flight_ - in_flight_;
  return is_quick(lane, now) ? free : std::max(free - max_in_flight_ / kShareForQuick, 1);
}

void Schedule::pause(const EndpointId& endpoint, MonotonicTime until) {
  const auto found = lanes_.find(endpoint);
  if (found != lanes_.end()) pause(found->second, endpoint, until);
}

void Schedule::pause(Lane& lane, const EndpointId& endpoint, MonotonicTime until) {
  if (lane.paused_until && *lane.paused_until >= until) return;
  lane.paused_until = until;
  leave_turns(lane);
  resumes_.emplace(until, endpoint);
}

// Those that were in flight when it began to fail end one after the other; only the last one
// counts.
void Schedule::space_failing(Lane& lane, const EndpointId& endpoint, MonotonicTime now) {
  if (lane.in_flight > 0 || lane.paused_until) return;
  next_failing_ = std::max(next_failing_, now) + kFailingSpace;
  pause(lane, endpoint, next_failing_);
}

std::optional<MonotonicTime> Schedule::next_resume() const {
  if (resumes_.empty()) return std::nullopt;
  return resumes_.top().first;
}

std::vector<LeasedDelivery> Schedule::take_queued(const EndpointId& endpoint) {
  const auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) return {};
  Lane& lane = found->second;
  leave_turns(lane);
  std::vector<LeasedDelivery> taken(std::make_move_iterator(lane.queue.begin()),
                                    std::make_move_iterator(lane.queue.end()));
  lane.queue.clear();
  queued_ -= static_cast<int>(taken.size());
  forget_if_idle(found);
  return taken;
}

std::vector<Schedule::Start> Schedule::take_all() {
  std::vector<Start> taken;
  taken.reserve(static_cast<std::size_t>(queued_));
  turns_.clear();
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    const auto following = std::next(lane);
    for (LeasedDelivery& delivery : lane->second.queue) {
      taken.push_back({lane->second.endpoint, std::move(delivery)});
    }
    lane->second.queue.clear();
    lane->second.in_turn = false;
    lane->second.counted = 0;
    forget_if_idle(lane);
    lane = following;
  }
  queued_ = 0;
  movable_ = 0;
  return taken;
}

std::vector<ReadyEndpointPtr> Schedule::rate_limited() const {
  std::vector<ReadyEndpointPtr> endpoints;
  for (const auto& [id, lane] : lanes_) {
    const bool limited = lane.endpoint->endpoint().rate_per_second().has_value();
    if (limited && !lane.queue.empty()) endpoints.push_back(lane.endpoint);
  }
  return endpoints;
}

// Puts the lane into the turns if it may start something.
void Schedule::take_turn(Lane& lane) {
  if (lane.in_turn || lane.queue.empty() || lane.paused_until) return;
  if (lane.in_flight >= limit_of(lane)) return;
  turns_.push_back(&lane);
  lane.in_turn = true;
  count(lane);
}

// What it can start soon: its share of the slots, in the time that a request takes. That is at
// least the time since anything happened while some are in flight.
void Schedule::estimate(Lane& lane, MonotonicTime now) {
  const int most = lane.took ? kMaxQueuedPerEndpoint : kUnknownSoon;
  const int share = max_in_flight_ / (static_cast<int>(turns_.size()) + 1);
  const int slots = std::max(lane.in_flight, std::min(share, limit_of(lane)));
  auto took = lane.took.value_or(MonotonicTime::duration{});
  if (lane.in_flight > 0) took = std::max(took, now - lane.progressed_at);
  lane.soon = most;
  if (took <= kSoon / kMaxQueuedPerEndpoint) return;
  lane.soon =
      static_cast<int>(std::min<std::int64_t>(slots * MonotonicTime::duration{kSoon} / took, most));
}

// Of a lane in turn.
void Schedule::count(Lane& lane) {
  movable_ -= lane.counted;
  lane.counted = std::min(static_cast<int>(lane.queue.size()), lane.soon);
  movable_ += lane.counted;
}

Schedule::Lane& Schedule::first_in_turn() {
  Lane& lane = *turns_.front();
  turns_.pop_front();
  lane.in_turn = false;
  movable_ -= std::exchange(lane.counted, 0);
  return lane;
}

void Schedule::leave_turns(Lane& lane) {
  if (!lane.in_turn) return;
  turns_.erase(std::find(turns_.begin(), turns_.end(), &lane));
  lane.in_turn = false;
  movable_ -= std::exchange(lane.counted, 0);
}

void Schedule::resume(MonotonicTime now) {
  while (!resumes_.empty() && resumes_.top().first <= now) {
    const auto found = lanes_.find(resumes_.top().second);
    resumes_.pop();
    if (found == lanes_.end()) continue;
    Lane& lane = found->second;
    if (lane.looked_after && *lane.looked_after <= now) lane.looked_after.reset();
    if (lane.paused_until && *lane.paused_until <= now) {  // else a longer pause came later
      lane.paused_until.reset();
      take_turn(lane);
    }
    forget_if_learned_nothing(found, now);
  }
}

bool Schedule::is_idle(const Lane& lane) {
  return lane.queue.empty() && lane.in_flight == 0 && !lane.paused_until;
}

void Schedule::forget(Lanes::iterator lane) {
  if (!lane->second.circuit.is_closed()) --open_circuits_;
  lanes_.erase(lane);
}

void Schedule::forget_if_idle(Lanes::iterator lane) {
  if (is_idle(lane->second)) forget(lane);
}

// An idle lane that knows something about its endpoint stays for a while.
void Schedule::forget_if_learned_nothing(Lanes::iterator lane, MonotonicTime now) {
  Lane& it = lane->second;
  if (it.queue.empty() && it.in_flight == 0 && lanes_.size() > kMaxLanes) return forget(lane);
  if (!is_idle(it)) return;
  const bool learned_nothing = it.window.is_full() && it.circuit.is_at_rest();
  if (learned_nothing || it.learned_until <= now) return forget(lane);
  if (it.looked_after) return;
  it.looked_after = it.learned_until;
  resumes_.emplace(it.learned_until, lane->first);
}

}  // namespace sealpost
