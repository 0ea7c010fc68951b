#include "dispatcher/delivery_loop.h"

#include <algorithm>
#include <variant>

#include "base/log.h"
#include "core/limits.h"
#include "core/retry_policy.h"
#include "core/sealed_response.h"
#include "dispatcher/attempt_log.h"
#include "dispatcher/bucket_owner.h"

namespace sealpost {
namespace {

// Between our look at the clock and the first byte on the wire: the network thread may be delayed
// by that much on a busy machine. The lease itself has a larger margin (heartbeat.h).
constexpr Milliseconds kStartMargin{100};
constexpr Milliseconds kLongestPoll{50};
// When something could start but the lease is in doubt: nobody rings.
constexpr Milliseconds kBlockedPoll{5};
// A gone endpoint is disabled by the finisher within milliseconds; until then it gets no requests.
constexpr std::chrono::seconds kUntilDisabled{10};

void log_circuit(std::string_view event, LogLevel level, const Endpoint& endpoint) {
  log(level, event, {{"endpoint_id", endpoint.id.text()}, {"tenant", endpoint.tenant}});
}

}  // namespace

DeliveryLoop::DeliveryLoop(Parts parts, int max_in_flight)
    : parts_(std::move(parts)),
      max_in_flight_(max_in_flight),
      schedule_(max_in_flight),
      running_limit_(max_in_flight),
      builder_(parts_.random) {}

void DeliveryLoop::run() {
  while (!leaving_) {
    bool held_back = false;
    const MonotonicTime now = parts_.clock.monotonic_now();
    thread_.turned(now);
    recent_.turn(now);
    forget_lost_lease();
    give_up_lost_buckets();
    take_inbox();
    if (draining_) {
      give_back_queued();
      if (parts_.sender->in_flight() == side_requests_ && unconfirmed_.empty()) break;
    } else {
      start_side_requests();
      held_back = start_allowed();
    }
    held_up_count_ = schedule_.queued() - schedule_.movable();
    running_limit_.used(recent_.count(), parts_.membership.on_our_host());
    look(held_back);
    record();
  }
  over_ = true;
}

// Our epoch was ended: others may already be sending what we had queued. Requests in flight go on;
// their results are recorded and change nothing.
void DeliveryLoop::forget_lost_lease() {
  const Epoch epoch = parts_.membership.epoch();
  if (epoch == epoch_) return;
  epoch_ = epoch;
  for (const Schedule::Start& lost : schedule_.take_all()) {
    left_queue(lost.delivery, *lost.endpoint);
    parts_.metrics.deliveries_dropped.add();
  }
}

// A rate limit is kept by one process: what is queued here for an endpoint that now belongs to
// another dispatcher goes back to the store, where that one finds it. (Without a limit it is sent
// from here: nothing is gained by moving it.)
void DeliveryLoop::give_up_lost_buckets() {
  const Membership::Buckets buckets = parts_.membership.buckets();
  if (buckets == buckets_) return;
  buckets_ = buckets;
  for (const ReadyEndpointPtr& endpoint : schedule_.rate_limited()) {
    if (!belongs_to_another(endpoint->endpoint())) continue;
    release(*endpoint, schedule_.take_queued(endpoint->endpoint().id));
  }
}

bool DeliveryLoop::belongs_to_another(const Endpoint& endpoint) const {
  return endpoint.rate_per_second() && !owns(*buckets_, endpoint.bucket);
}

void DeliveryLoop::take_inbox() {
  Inbox::Contents contents = parts_.inbox.take();
  for (const EndpointId& id : contents.changed) {
    const ReadyEndpointPtr endpoint = parts_.endpoints.find(id);
    if (endpoint == nullptr) continue;  // out of the cache: nobody uses it
    schedule_.update(endpoint);
    endpoint->load->paused_until = MonotonicTime{};
    if (!endpoint->may_send()) end_unsendable(*endpoint, schedule_.take_queued(id));
  }
  give_back(std::move(contents.unwanted));
  for (LeasedDelivery& delivery : contents.deliveries) {
    ReadyEndpointPtr endpoint = parts_.endpoints.find(delivery.endpoint_id);
    if (delivery.epoch != epoch_) {
      left_queue(delivery, *endpoint);
      parts_.metrics.deliveries_dropped.add();
    } else if (!endpoint->may_send()) {
      end_unsendable(*endpoint, {delivery});
    } else if (belongs_to_another(endpoint->endpoint())) {
      release(*endpoint, {delivery});
    } else {
      add(std::move(endpoint), std::move(delivery));
    }
  }
}

// For endpoints that have no room here. What lost its lease meanwhile is not ours to give back.
void DeliveryLoop::give_back(std::vector<LeasedDelivery> unwanted) {
  for (const LeasedDelivery& delivery : unwanted) {
    left_queue(delivery, *parts_.endpoints.find(delivery.endpoint_id));
    if (delivery.epoch != epoch_) parts_.metrics.deliveries_dropped.add();
  }
  std::erase_if(unwanted, [this](const auto& delivery) { return delivery.epoch != epoch_; });
  if (!unwanted.empty()) parts_.finisher.add_released(epoch_, std::move(unwanted));
}

// Until its former owner has stopped, an endpoint with a rate limit gets nothing from us.
void DeliveryLoop::add(ReadyEndpointPtr endpoint, LeasedDelivery delivery) {
  const EndpointId id = delivery.endpoint_id;
  const MonotonicTime settled_at = parts_.membership.settled_at();
  const bool waits =
      endpoint->endpoint().rate_per_second() && parts_.clock.monotonic_now() < settled_at;
  schedule_.add(std::move(endpoint), std::move(delivery));
  if (waits) schedule_.pause(id, settled_at);
}

// True if the running limit holds requests back.
bool DeliveryLoop::start_allowed() {
  for (;;) {
    const MonotonicTime now = parts_.clock.monotonic_now();
    if (!has_free_slot()) {
      if (schedule_.wants_slots()) parts_.finisher.hurry();
      return false;
    }
    if (!may_start(now)) return false;
    if (recent_.count() >= running_limit_.value() && !running_limit_.is_full()) {
      return schedule_.wants_slots();
    }
    std::optional<Schedule::Start> start = schedule_.next(now);
    if (!start) return false;
    begin(std::move(*start));
  }
}

// A request counts until its result is written: killed before that, it is sent again by whoever
// takes over, and the promise is no more duplicates than requests in flight. Counting only open
// requests let a busy machine repeat 1,533 with a limit of 128.
bool DeliveryLoop::has_free_slot() const {
  return parts_.finisher.unfinished() + in_flight_now() < max_in_flight_;
}

bool DeliveryLoop::may_start(MonotonicTime now) const {
  return parts_.membership.epoch() == epoch_ && parts_.membership.covers(now + kStartMargin) &&
         now < parts_.endpoints.current_as_of() + kEndpointsTrusted;
}

void DeliveryLoop::begin(Schedule::Start start) {
  left_queue(start.delivery, *start.endpoint);
  const auto signing = start.endpoint->signing(parts_.clock.monotonic_now());
  auto built = builder_.build(start.delivery, *start.endpoint->prepared, *signing.with,
                              parts_.clock.wall_now());
  if (const auto* reason = std::get_if<FailureReason>(&built)) {
    schedule_.withdrawn(start.delivery.endpoint_id);
    const Epoch epoch = start.delivery.epoch;
    parts_.finisher.add_failed(epoch, {{std::move(start.delivery), *reason}});
    return;
  }
  if (free_tags_.empty()) {
    free_tags_.push_back(in_flight_.size());
    in_flight_.emplace_back();
  }
  const std::uint64_t tag = free_tags_.back();
  free_tags_.pop_back();
  auto& request = std::get<HttpRequest>(built);
  in_flight_[tag] = {std::move(start.delivery), std::move(start.endpoint), signing, recent_.began(),
                     request.sealed_session};
  in_flight_count_ = in_flight_now();
  parts_.sender->start(tag, std::move(request));
}

void DeliveryLoop::look(bool held_back) {
  const Milliseconds wait = poll_time();
  const MonotonicTime began = parts_.clock.monotonic_now();
  parts_.sender->poll(held_back ? std::min(wait, RunningLimit::kLook) : wait, finished_);
  if (!held_back && !running_limit_.is_full()) return;
  running_limit_.looked(static_cast<int>(finished_.size()), parts_.clock.monotonic_now() - began);
}

// Few and rare: they do not count as in flight, because no lease covers them, and a stop does not
// wait for them.
void DeliveryLoop::start_side_requests() {
  for (SideRequests::Asked& asked : parts_.side_requests.take_asked()) {
    ++side_requests_;
    parts_.sender->start(asked.tag, std::move(asked.request));
  }
}

void DeliveryLoop::record() {
  std::vector<FinishedAttempt> results;
  results.reserve(finished_.size());
  for (FinishedRequest& finished : finished_) {
    if ((finished.tag & SideRequests::kTag) != 0) {
      --side_requests_;
      parts_.side_requests.answer(finished.tag, std::move(finished.outcome));
      continue;
    }
    InFlight flight = std::move(in_flight_[finished.tag]);
    free_tags_.push_back(finished.tag);
    recent_.ended(flight.began_in);
    FinishedAttempt attempt = result_of(finished, flight);
    hold_back(attempt.decision, attempt, *flight.endpoint);
    note_end(attempt, *flight.endpoint);
    if (is_unconfirmed(attempt, flight)) {
      unconfirmed_.push_back({std::move(flight), std::move(attempt)});
    } else {
      settle(std::move(attempt), flight, results);
    }
  }
  finished_.clear();
  if (!unconfirmed_.empty()) confirm(results);
  parts_.finisher.add(std::move(results));
  // After add(): whoever sees nothing in flight and nothing unfinished knows that nothing is left.
  in_flight_count_ = in_flight_now();
  parts_.metrics.in_flight.set(in_flight_now());
}

void DeliveryLoop::settle(FinishedAttempt attempt, const InFlight& flight,
                          std::vector<FinishedAttempt>& results) {
  parts_.metrics.attempted(attempt.outcome, attempt.decision);
  log_attempt(attempt, flight.endpoint->endpoint());
  results.push_back(std::move(attempt));
}

// What would end a delivery waits for the next look at the endpoints: a receiver may have the new
// secret before we do, and a rotation must not cost a delivery.
bool DeliveryLoop::is_unconfirmed(const FinishedAttempt& attempt, const InFlight& flight) const {
  return attempt.outcome.keys_refused() && std::holds_alternative<GiveUp>(attempt.decision.next) &&
         secrets_in_change(attempt, flight) == SecretsInChange::no;
}

void DeliveryLoop::confirm(std::vector<FinishedAttempt>& results) {
  const MonotonicTime current_as_of = parts_.endpoints.current_as_of();
  std::erase_if(unconfirmed_, [&](Unconfirmed& waiting) {
    auto& [flight, attempt] = waiting;
    // At a stop nobody looks any more; then another dispatcher tries once more.
    if (current_as_of <= attempt.ended_at && !draining_) return false;
    const auto secrets = draining_ ? SecretsInChange::yes : secrets_in_change(attempt, flight);
    attempt.decision = decide(flight.endpoint->endpoint().settings.retry, attempt.outcome,
                              attempt.attempt_number, parts_.random.unit(), secrets);
    settle(std::move(attempt), flight, results);
    return true;
  });
}

// Two secrets are valid, or the one that signed is not the newest any more; or the body was
// encrypted for other keys, or another primary one, than it would be now.
SecretsInChange DeliveryLoop::secrets_in_change(const FinishedAttempt& attempt,
                                                const InFlight& flight) const {
  if (flight.signing.in_grace) return SecretsInChange::yes;
  const ReadyEndpointPtr newest = parts_.endpoints.find(attempt.delivery.endpoint_id);
  if (newest == nullptr) return SecretsInChange::yes;
  const Endpoint& now = newest->endpoint();
  const Endpoint& then = flight.endpoint->endpoint();
  const bool same_signer = now.secret_key_ids.empty() || then.secret_key_ids.empty() ||
                           now.secret_key_ids.front() == then.secret_key_ids.front();
  const bool same_recipients = std::ranges::equal(now.encryption_keys, then.encryption_keys, {},
                                                  &EncryptionKey::id, &EncryptionKey::id);
  return same_signer && same_recipients ? SecretsInChange::no : SecretsInChange::yes;
}

FinishedAttempt DeliveryLoop::result_of(FinishedRequest& finished, InFlight& flight) {
  FinishedAttempt attempt;
  attempt.delivery = std::move(flight.delivery);
  attempt.attempt_number = attempt.delivery.attempts_made + 1;
  attempt.in_order = flight.endpoint->endpoint().settings.ordering == Ordering::fifo;
  attempt.started_at = finished.started_at;
  attempt.ended_at = finished.ended_at;
  attempt.outcome = std::move(finished.outcome);
  attempt.signature_key_ids = *flight.signing.key_ids;
  if (flight.sealed_session) {
    attempt.response_payload = take_sealed_response(
        *flight.sealed_session, flight.endpoint->endpoint().settings.require_encrypted_response,
        attempt.outcome);
  }
  if (attempt.outcome.status_code && !attempt.outcome.succeeded()) {
    attempt.outcome.receiver_error_code = read_receiver_error(attempt.outcome.response_body);
  }
  if (flight.signing.in_grace) {
    OrderBelief& order = *flight.endpoint->order;
    order = learn(order, flight.signing.order, attempt.ended_at - attempt.outcome.duration,
                  attempt.outcome);
  }
  // Random bytes cost a system call, and a success needs none.
  const double random_unit = attempt.outcome.succeeded() ? 0 : parts_.random.unit();
  const auto secrets =
      attempt.outcome.keys_refused() ? secrets_in_change(attempt, flight) : SecretsInChange::no;
  attempt.decision = decide(flight.endpoint->endpoint().settings.retry, attempt.outcome,
                            attempt.attempt_number, random_unit, secrets);
  return attempt;
}

// The receiver asked for a pause, or is gone. What is queued waits under its lease: giving it back
// would cost a statement per delivery now and another one later.
void DeliveryLoop::hold_back(const Decision& decision, const FinishedAttempt& attempt,
                             const ReadyEndpoint& endpoint) {
  if (!decision.pause_endpoint && !decision.disable_endpoint) return;
  MonotonicTime until = attempt.ended_at;
  if (decision.pause_endpoint) until += *decision.pause_endpoint;
  if (decision.disable_endpoint) until += kUntilDisabled;
  schedule_.pause(attempt.delivery.endpoint_id, until);
  endpoint.load->paused_until = std::max(endpoint.load->paused_until.load(), until);
}

void DeliveryLoop::note_end(const FinishedAttempt& attempt, const ReadyEndpoint& endpoint) {
  const auto change = schedule_.ended({.endpoint = attempt.delivery.endpoint_id,
                                       .outcome = attempt.outcome,
                                       .started_at = attempt.ended_at - attempt.outcome.duration,
                                       .now = attempt.ended_at});
  if (const auto* opened = std::get_if<Schedule::CircuitOpened>(&change)) {
    endpoint.load->paused_until = std::max(endpoint.load->paused_until.load(), opened->until);
    log_circuit("endpoint.circuit_opened", LogLevel::warn, endpoint.endpoint());
  } else if (std::holds_alternative<Schedule::CircuitClosed>(change)) {
    log_circuit("endpoint.circuit_closed", LogLevel::info, endpoint.endpoint());
  }
  parts_.metrics.open_circuits.set(schedule_.open_circuits());
}

// Deliveries for an endpoint to which nothing may be sent now. Paused, or held because it cannot be
// signed for: back to the store, where they wait. Disabled or deleted: they end.
void DeliveryLoop::end_unsendable(const ReadyEndpoint& endpoint,
                                  std::vector<LeasedDelivery> deliveries) {
  if (deliveries.empty()) return;
  for (const LeasedDelivery& delivery : deliveries) left_queue(delivery, endpoint);
  switch (endpoint.endpoint().status) {
    case EndpointStatus::deleted: {
      std::vector<std::pair<LeasedDelivery, FailureReason>> failures;
      for (LeasedDelivery& delivery : deliveries) {
        failures.emplace_back(std::move(delivery), FailureReason::endpoint_deleted);
      }
      return parts_.finisher.add_failed(epoch_, std::move(failures));
    }
    case EndpointStatus::disabled:
      return parts_.finisher.add_skipped(epoch_, std::move(deliveries));
    case EndpointStatus::paused:
    case EndpointStatus::enabled:
      return parts_.finisher.add_released(epoch_, std::move(deliveries));
  }
}

void DeliveryLoop::release(const ReadyEndpoint& endpoint, std::vector<LeasedDelivery> deliveries) {
  if (deliveries.empty()) return;
  for (const LeasedDelivery& delivery : deliveries) left_queue(delivery, endpoint);
  parts_.finisher.add_released(epoch_, std::move(deliveries));
}

void DeliveryLoop::give_back_queued() {
  std::vector<LeasedDelivery> unsent;
  for (Schedule::Start& start : schedule_.take_all()) {
    left_queue(start.delivery, *start.endpoint);
    unsent.push_back(std::move(start.delivery));
  }
  if (!unsent.empty()) parts_.finisher.add_released(epoch_, std::move(unsent));
}

void DeliveryLoop::left_queue(const LeasedDelivery& delivery, const ReadyEndpoint& endpoint) {
  parts_.inbox.left(delivery);
  --endpoint.load->queued;
}

Milliseconds DeliveryLoop::poll_time() const {
  const MonotonicTime now = parts_.clock.monotonic_now();
  if (schedule_.queued() > 0 && !may_start(now)) return kBlockedPoll;
  const std::optional<MonotonicTime> resume = schedule_.next_resume();
  if (!resume) return kLongestPoll;
  const auto until = std::chrono::ceil<Milliseconds>(*resume - now);
  return std::clamp(until, Milliseconds{0}, kLongestPoll);
}

void DeliveryLoop::drain() {
  draining_ = true;
  wake();
}

void DeliveryLoop::leave() {
  leaving_ = true;
  wake();
}

}  // namespace sealpost
