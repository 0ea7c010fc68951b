#include "tests/support/memory_delivery_store.h"

#include <algorithm>

namespace sealpost {
namespace {

bool wants(const Endpoint& endpoint, const Event& event) {
  if (endpoint.tenant != event.tenant || endpoint.status == EndpointStatus::deleted) return false;
  const auto& patterns = endpoint.settings.enabled_events;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return matches_event_type(pattern, event.type);
  });
}

}  // namespace

class MemoryDeliveryStore final : public DeliveryStore {
 public:
  explicit MemoryDeliveryStore(MemoryDatabase& database) : database_(database) {}

  IntakeResult intake(const IntakeRequest& request) override {
    return database_.run("intake", [&] { return take_in(request); });
  }

  std::vector<EndpointId> endpoints_with_due(std::span<const std::int16_t> buckets,
                                             int limit) override {
    return database_.run("endpoints_with_due", [&] {
      std::set<EndpointId> due;
      for (const auto& [id, delivery] : database_.deliveries_) {
        if (is_due(delivery) && is_in(delivery.endpoint_id, buckets)) {
          due.insert(delivery.endpoint_id);
        }
      }
      std::vector<EndpointId> ids(due.begin(), due.end());
      if (ids.size() > static_cast<std::size_t>(limit)) ids.resize(static_cast<std::size_t>(limit));
      return ids;
    });
  }

  std::vector<LeasedDelivery> claim(Epoch epoch, std::span<const ClaimRequest> requests,
                                    int at_most) override {
    return database_.run("claim", [&] {
      std::vector<LeasedDelivery> claimed;
      if (!database_.is_alive(epoch)) return claimed;
      for (const ClaimRequest& request : requests) {
        int left = std::min(request.limit, at_most - static_cast<int>(claimed.size()));
        for (auto& [id, delivery] : database_.deliveries_) {
          if (left == 0) break;
          if (delivery.endpoint_id != request.endpoint_id || !is_due(delivery)) continue;
          claimed.push_back(database_.lease(delivery, epoch));
          --left;
        }
      }
      return claimed;
    });
  }

  FinishResult finish(std::span<const FinishedAttempt> attempts, MonotonicTime now) override {
    return database_.run("finish", [&] {
      FinishResult result;
      for (const FinishedAttempt& attempt : attempts) {
        if (attempt.delivery.id == database_.refused_) {
          throw StorageError(StorageError::Kind::permanent, "invalid byte sequence");
        }
      }
      for (const FinishedAttempt& attempt : attempts) {
        const auto key = MemoryDatabase::AttemptKey{
            attempt.delivery.id, attempt.delivery.generation, attempt.attempt_number};
        MemoryDatabase::Delivery* delivery =
            database_.leased(attempt.delivery.id, attempt.delivery.epoch);
        const bool is_new = database_.attempt_keys_.insert(key).second;
        if (delivery != nullptr && delivery->generation == attempt.delivery.generation) {
          database_.apply(*delivery, attempt, now);
          ++result.applied;
        } else if (is_new) {
          result.orphaned.push_back(attempt.delivery.id);
          ++database_.orphaned_;
        }
        if (is_new) database_.attempts_.push_back(attempt);
      }
      return result;
    });
  }

  void release(Epoch epoch, std::span<const LeasedDelivery> unsent) override {
    database_.run("release", [&] {
      for (const LeasedDelivery& one : unsent)
        end(one.id, epoch, DeliveryState::pending, std::nullopt);
    });
  }

  void skip(Epoch epoch, std::span<const LeasedDelivery> deliveries) override {
    database_.run("skip", [&] {
      for (const LeasedDelivery& one : deliveries)
        end(one.id, epoch, DeliveryState::skipped, std::nullopt);
    });
  }

  void fail(Epoch epoch,
            std::span<const std::pair<LeasedDelivery, FailureReason>> deliveries) override {
    database_.run("fail", [&] {
      for (const auto& [one, reason] : deliveries)
        end(one.id, epoch, DeliveryState::failed, reason);
    });
  }

  // Here every delivery has a row of its own.
  void break_up_batches(Epoch, std::chrono::seconds) override {
    database_.run("break_up_batches", [] {});
  }

 private:
  IntakeResult take_in(const IntakeRequest& request) {
    IntakeResult result;
    database_.rooms_named_ = request.rooms.size();
    if (!database_.is_alive(request.epoch)) return result;
    // All of them are one handover here.
    auto& handed_over = database_.handed_over_[request.epoch];
    if (request.max_picked_up > 0 && std::ssize(handed_over) <= request.largest_picked_up) {
      result.handed_over = std::exchange(handed_over, {});
    }
    if (!result.handed_over.empty()) return result;
    std::map<EndpointId, int> rooms;
    for (const EndpointRoom& room : request.rooms) rooms[room.endpoint_id] = room.room;
    auto& intake = database_.intake_;
    const auto take = [&](const auto waiting) {
      const auto [position, event] = *waiting;
      intake.erase(waiting);
      ++result.events;
      for (const auto& [id, endpoint] : database_.endpoints_) {
        if (wants(endpoint, *event)) fan_out(*event, event, endpoint, request, rooms, result);
      }
      return position;
    };
    while (result.events < request.max_events && !intake.empty()) {
      result.last_position = take(intake.begin());
      ++result.in_turn;
    }
    for (const std::int64_t position : out_of_turn(request)) {
      take(std::ranges::find(intake, position, [](const auto& waiting) { return waiting.first; }));
      result.newest_position = position;
    }
    if (result.in_turn > 0 && result.events > result.in_turn) ++database_.mixed_intakes_;
    return result;
  }

  // Of the newest, those of tenants who have an eighth of them at most.
  std::vector<std::int64_t> out_of_turn(const IntakeRequest& request) const {
    const auto& intake = database_.intake_;
    const auto count = std::min(intake.size(), static_cast<std::size_t>(request.newest));
    const auto first = intake.end() - static_cast<std::ptrdiff_t>(count);
    std::map<std::string, int> events;
    std::for_each(first, intake.end(), [&](const auto& it) { ++events[it.second->tenant]; });
    std::vector<std::int64_t> positions;
    std::for_each(first, intake.end(), [&](const auto& it) {
      if (events[it.second->tenant] <= request.newest / 8) positions.push_back(it.first);
    });
    return positions;
  }

  void fan_out(const Event& event, std::shared_ptr<const Event> shared, const Endpoint& endpoint,
               const IntakeRequest& request, std::map<EndpointId, int>& rooms,
               IntakeResult& result) {
    MemoryDatabase::Delivery made;
    made.id = DeliveryId("dlv_" + event.id.text() + "_" + endpoint.id.text());
    made.endpoint_id = endpoint.id;
    made.event = std::move(shared);
    made.next_attempt_at = database_.clock_.monotonic_now();
    auto& delivery = database_.deliveries_[made.id] = made;
    ++result.deliveries;
    if (endpoint.status == EndpointStatus::disabled) {
      delivery.state = DeliveryState::skipped;
      return;
    }
    if (endpoint.status == EndpointStatus::paused || !is_in(endpoint.id, request.buckets)) return;
    int& room = rooms.try_emplace(endpoint.id, request.room_per_endpoint).first->second;
    if (room > 0 && static_cast<int>(result.leased.size()) < request.max_leased) {
      --room;
      result.leased.push_back(database_.lease(delivery, request.epoch));
    } else if (std::find(result.overflowed.begin(), result.overflowed.end(), endpoint.id) ==
               result.overflowed.end()) {
      result.overflowed.push_back(endpoint.id);
    }
  }

  void end(const DeliveryId& id, Epoch epoch, DeliveryState state,
           std::optional<FailureReason> reason) {
    MemoryDatabase::Delivery* delivery = database_.leased(id, epoch);
    if (delivery == nullptr) return;
    delivery->state = state;
    delivery->reason = reason;
    delivery->epoch = 0;
    delivery->next_attempt_at = database_.clock_.monotonic_now();
  }

  bool is_due(const MemoryDatabase::Delivery& delivery) const {
    return delivery.state == DeliveryState::pending &&
           delivery.next_attempt_at <= database_.clock_.monotonic_now() &&
           database_.endpoints_.at(delivery.endpoint_id).status != EndpointStatus::paused;
  }

  bool is_in(const EndpointId& id, std::span<const std::int16_t> buckets) const {
    const std::int16_t bucket = database_.endpoints_.at(id).bucket;
    return std::find(buckets.begin(), buckets.end(), bucket) != buckets.end();
  }

  MemoryDatabase& database_;
};

std::unique_ptr<DeliveryStore> MemoryDatabase::delivery_store() {
  return std::make_unique<MemoryDeliveryStore>(*this);
}
}  // namespace sealpost
