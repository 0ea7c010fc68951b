// The stores of a dispatcher in memory: deliveries with leases and epochs, endpoints, live
// dispatchers. One MemoryDatabase stands for PostgreSQL; each thread of a dispatcher gets its own
// store on it, as it would get its own connection. Same meaning as core/delivery_store.h and its
// neighbors, by the test's clock.
//
// Faults: fail_with() makes statements throw, as a test's script says.
//
// Threads: safe from any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/delivery_store.h"
#include "core/dispatcher_registry.h"
#include "core/endpoint_store.h"
#include "core/maintenance.h"
#include "core/storage_error.h"
#include "core/validation_store.h"

namespace sealpost {

class MemoryDatabase {
 public:
  explicit MemoryDatabase(const Clock& clock) : clock_(clock) {}

  // --- what the test does and sees
  // ----------------------------------------------------------------

  struct Delivery {
    DeliveryId id;
    EndpointId endpoint_id;
    std::shared_ptr<const Event> event;
    DeliveryState state = DeliveryState::pending;
    std::optional<FailureReason> reason;
    int generation = 1;
    int attempts_made = 0;
    Epoch epoch = 0;  // while delivering
    MonotonicTime next_attempt_at;
  };

  // Throw before the statement's effect, or (in_doubt) after it.
  using Fault = std::function<std::optional<StorageError>(const std::string& statement)>;
  void fail_with(Fault fault);
  // A batch with a result of this delivery is refused for good.
  void refuse_result_of(const DeliveryId& id);

  void add_endpoint(Endpoint endpoint);
  // Changes it and raises its version.
  void change_endpoint(const EndpointId& id, const std::function<void(Endpoint&)>& change);
  // Changes it and has its receiver asked, as the API would.
  void validate(const EndpointId& id, ValidationKind kind);
  Endpoint endpoint(const EndpointId& id) const;
  // Goes to every enabled endpoint of its tenant whose patterns match.
  void insert_event(Event event);

  std::vector<Delivery> deliveries() const;
  std::size_t count(DeliveryState state) const;
  std::size_t in_intake() const;
  std::size_t mixed_intakes() const;  // statements that took events in turn and out of turn
  std::size_t rooms_named() const;    // endpoints with less room, in the last request for intake
  std::vector<FinishedAttempt> attempts() const;  // in the order in which they were recorded
  std::size_t orphaned_attempts() const;
  std::size_t statements(const std::string& name) const;  // how often it was asked for
  std::vector<Epoch> live() const;
  // As another dispatcher's intake does: this many events, each for this endpoint, leased to
  // `epoch`.
  void hand_over(Epoch epoch, const EndpointId& endpoint, int events);
  void end_epoch(Epoch epoch);  // as another dispatcher's takeover would

  // --- what the stores below use
  // -------------------------------------------------------------------

  std::unique_ptr<DeliveryStore> delivery_store();
  std::unique_ptr<DispatcherRegistry> registry();
  std::unique_ptr<EndpointSource> endpoint_source();
  std::unique_ptr<Maintenance> maintenance();
  std::unique_ptr<ValidationStore> validations();

 private:
  friend class MemoryDeliveryStore;
  friend class MemoryRegistry;
  friend class MemoryEndpointSource;
  friend class MemoryMaintenance;
  friend class MemoryValidationStore;

  struct LiveDispatcher {
    std::string instance;
    MonotonicTime lease_until;
  };
  struct Question {
    std::optional<MonotonicTime> due_at;
    int asked = 0;
    std::string callback;  // SHA-256 of its secret
  };
  using AttemptKey = std::tuple<DeliveryId, int, int>;  // delivery, generation, attempt number

  // Runs a statement under the lock, with the faults that the test ordered.
  template <class Statement>
  auto run(const std::string& name, Statement statement);

  bool is_alive(Epoch epoch) const;
  int free_leases_of(Epoch epoch);
  LeasedDelivery lease(Delivery& delivery, Epoch epoch);
  void apply(Delivery& delivery, const FinishedAttempt& attempt, MonotonicTime now);
  Delivery* leased(const DeliveryId& id, Epoch epoch);

  const Clock& clock_;
  mutable std::mutex mutex_;
  Fault fault_;
  std::optional<DeliveryId> refused_;
  std::map<EndpointId, Endpoint> endpoints_;
  std::map<EndpointId, MonotonicTime> changed_at_;
  std::map<EndpointId, Question> questions_;
  std::deque<std::pair<std::int64_t, std::shared_ptr<const Event>>> intake_;
  std::int64_t last_position_ = 0;
  std::size_t mixed_intakes_ = 0;
  std::size_t rooms_named_ = 0;
  std::map<DeliveryId, Delivery> deliveries_;
  std::map<Epoch, std::vector<LeasedDelivery>> handed_over_;
  std::vector<FinishedAttempt> attempts_;
  std::set<AttemptKey> attempt_keys_;
  std::size_t orphaned_ = 0;
  std::map<std::string, std::size_t> statements_;
  std::map<Epoch, LiveDispatcher> live_;
  Epoch last_epoch_ = 100;
};

template <class Statement>
auto MemoryDatabase::run(const std::string& name, Statement statement) {
  const std::lock_guard lock(mutex_);
  ++statements_[name];
  const std::optional<StorageError> error = fault_ ? fault_(name) : std::nullopt;
  if (error && error->kind() != StorageError::Kind::in_doubt) throw *error;
  if constexpr (std::is_void_v<decltype(statement())>) {
    statement();
    if (error) throw *error;
  } else {
    auto result = statement();
    if (error) throw *error;
    return result;
  }
}

}  // namespace sealpost
