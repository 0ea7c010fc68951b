// What a MemoryDatabase keeps, and what a test does to it and sees of it.
#include "tests/support/memory_delivery_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace sealpost {

bool MemoryDatabase::is_alive(Epoch epoch) const { return live_.contains(epoch); }

int MemoryDatabase::free_leases_of(Epoch epoch) {
  int freed = 0;
  for (auto& [id, delivery] : deliveries_) {
    if (delivery.state != DeliveryState::delivering || delivery.epoch != epoch) continue;
    delivery.state = DeliveryState::pending;
    delivery.epoch = 0;
    delivery.next_attempt_at = clock_.monotonic_now();
    ++freed;
  }
  return freed;
}

LeasedDelivery MemoryDatabase::lease(Delivery& delivery, Epoch epoch) {
  delivery.state = DeliveryState::delivering;
  delivery.epoch = epoch;
  return {.id = delivery.id,
          .endpoint_id = delivery.endpoint_id,
          .event = delivery.event,
          .epoch = epoch,
          .generation = delivery.generation,
          .attempts_made = delivery.attempts_made,
          .endpoint_version = endpoints_.at(delivery.endpoint_id).version};
}

MemoryDatabase::Delivery* MemoryDatabase::leased(const DeliveryId& id, Epoch epoch) {
  const auto found = deliveries_.find(id);
  if (found == deliveries_.end()) return nullptr;
  Delivery& delivery = found->second;
  const bool ours = delivery.state == DeliveryState::delivering && delivery.epoch == epoch;
  return ours ? &delivery : nullptr;
}

void MemoryDatabase::apply(Delivery& delivery, const FinishedAttempt& attempt, MonotonicTime now) {
  delivery.attempts_made = attempt.attempt_number;
  delivery.epoch = 0;
  if (std::holds_alternative<Delivered>(attempt.decision.next)) {
    delivery.state = DeliveryState::delivered;
  } else if (const auto* retry = std::get_if<RetryAfter>(&attempt.decision.next)) {
    delivery.state = DeliveryState::pending;
    const auto age = now - attempt.ended_at;
    delivery.next_attempt_at = clock_.monotonic_now() - age + retry->delay;
  } else {
    delivery.state = DeliveryState::failed;
    delivery.reason = std::get<GiveUp>(attempt.decision.next).reason;
  }
}

// --- what the test does and sees
// -----------------------------------------------------------------------

void MemoryDatabase::fail_with(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

void MemoryDatabase::refuse_result_of(const DeliveryId& id) {
  const std::lock_guard lock(mutex_);
  refused_ = id;
}

void MemoryDatabase::add_endpoint(Endpoint endpoint) {
  const std::lock_guard lock(mutex_);
  changed_at_[endpoint.id] = clock_.monotonic_now();
  endpoints_[endpoint.id] = std::move(endpoint);
}

void MemoryDatabase::change_endpoint(const EndpointId& id,
                                     const std::function<void(Endpoint&)>& change) {
  const std::lock_guard lock(mutex_);
  Endpoint& endpoint = endpoints_.at(id);
  change(endpoint);
  ++endpoint.version;
  changed_at_[id] = clock_.monotonic_now();
}

Endpoint MemoryDatabase::endpoint(const EndpointId& id) const {
  const std::lock_guard lock(mutex_);
  return endpoints_.at(id);
}

void MemoryDatabase::insert_event(Event event) {
  const std::lock_guard lock(mutex_);
  intake_.emplace_back(++last_position_, std::make_shared<const Event>(std::move(event)));
}

void MemoryDatabase::hand_over(Epoch epoch, const EndpointId& endpoint, int events) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < events; ++i) {
    Event event;
    event.id = EventId(fmt::format("evt_handed_over_{}", i));
    event.tenant = endpoints_.at(endpoint).tenant;
    event.type = "a";
    event.payload = "{}";
    Delivery made;
    made.id = DeliveryId(fmt::format("dlv_handed_over_{}", deliveries_.size()));
    made.endpoint_id = endpoint;
    made.event = std::make_shared<const Event>(std::move(event));
    made.next_attempt_at = clock_.monotonic_now();
    handed_over_[epoch].push_back(lease(deliveries_[made.id] = made, epoch));
  }
}

std::vector<MemoryDatabase::Delivery> MemoryDatabase::deliveries() const {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> all;
  for (const auto& [id, delivery] : deliveries_) all.push_back(delivery);
  return all;
}

std::size_t MemoryDatabase::count(DeliveryState state) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(deliveries_.begin(), deliveries_.end(),
                    [state](const auto& entry) { return entry.second.state == state; }));
}

std::size_t MemoryDatabase::in_intake() const {
  const std::lock_guard lock(mutex_);
  return intake_.size();
}

std::size_t MemoryDatabase::mixed_intakes() const {
  const std::lock_guard lock(mutex_);
  return mixed_intakes_;
}

std::size_t MemoryDatabase::rooms_named() const {
  const std::lock_guard lock(mutex_);
  return rooms_named_;
}

std::vector<FinishedAttempt> MemoryDatabase::attempts() const {
  const std::lock_guard lock(mutex_);
  return attempts_;
}

std::size_t MemoryDatabase::orphaned_attempts() const {
  const std::lock_guard lock(mutex_);
  return orphaned_;
}

std::size_t MemoryDatabase::statements(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = statements_.find(name);
  return found != statements_.end() ? found->second : 0;
}

std::vector<Epoch> MemoryDatabase::live() const {
  const std::lock_guard lock(mutex_);
  std::vector<Epoch> epochs;
  for (const auto& [epoch, dispatcher] : live_) epochs.push_back(epoch);
  return epochs;
}

void MemoryDatabase::end_epoch(Epoch epoch) {
  const std::lock_guard lock(mutex_);
  live_.erase(epoch);
  free_leases_of(epoch);
}

}  // namespace sealpost
