// Endpoints made ready for sending, in memory. The intake thread loads what its deliveries need
// before it hands them over; the upkeep thread loads again what was changed.
//
// An endpoint that cannot be made ready (its secrets cannot be decrypted, its profile is damaged)
// is held like a paused one: nothing is sent unsigned, and nothing is dead-lettered either, because
// the usual cause is a wrong master key file, and an operator who repairs it wants every delivery
// made. A change of the endpoint or a restart tries again; sealpost_endpoints_unusable counts them.
//
// Holds kMaxCachedEndpointBytes; when more are needed, those go that nobody uses (no delivery, no
// lane refers to them), first those that were not asked for since the last time.
//
// Threads: safe from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/delivery.h"
#include "core/endpoint_store.h"
#include "core/limits.h"
#include "core/secret_rotation.h"
#include "core/webhook_request.h"

namespace sealpost {

// How much of an endpoint's work this dispatcher holds, and whether it wants more. Shared by all
// versions of the endpoint: the intake thread adds what it hands over, the network thread takes off
// what it starts.
struct EndpointLoad {
  std::atomic<int> queued{0};
  std::atomic<MonotonicTime> paused_until{MonotonicTime{}};
  std::atomic<bool> takes_more{true};  // of the newest version

  bool is_open(MonotonicTime now) const { return takes_more && paused_until.load() <= now; }
};

// One version of an endpoint. Immutable, except for its load and what is learnt of its receiver.
struct ReadyEndpoint {
  std::shared_ptr<const PreparedEndpoint> prepared;  // its signer is null if it cannot be used
  std::shared_ptr<EndpointLoad> load;
  MonotonicTime grace_ends{};  // while two secrets are valid: until when
  // And from when on the new one may sign unasked, if it is a key pair. A refusal or the operator
  // asks for it earlier, the end of the grace enforces it.
  MonotonicTime new_key_from{};
  // Which order of two secrets the receiver takes; shared by all versions with these two secrets.
  // The network thread's alone. Lost with the process, and learnt again within one refusal.
  std::shared_ptr<OrderBelief> order = std::make_shared<OrderBelief>();

  // With which secrets an attempt is signed that is started now.
  struct Signing {
    const PreparedEndpoint::Signing* with = nullptr;
    const std::string* key_ids = nullptr;  // as the attempt records them
    SecretOrder order = SecretOrder::old_last;
    bool in_grace = false;  // two secrets are valid
  };
  Signing signing(MonotonicTime now) const;

  const Endpoint& endpoint() const { return prepared->endpoint; }
  bool may_send() const {
    return endpoint().status == EndpointStatus::enabled && prepared->usual.signer != nullptr;
  }
  // Whether to lease deliveries for it. For a disabled or deleted one, too: to end them.
  bool takes_more() const {
    const EndpointStatus status = endpoint().status;
    return may_send() || status == EndpointStatus::disabled || status == EndpointStatus::deleted;
  }
};

using ReadyEndpointPtr = std::shared_ptr<const ReadyEndpoint>;

class EndpointCache {
 public:
  explicit EndpointCache(const Clock& clock, std::size_t max_bytes = kMaxCachedEndpointBytes)
      : clock_(clock), max_bytes_(max_bytes), sweep_at_(max_bytes) {}

  // The endpoints of these deliveries, each once, loading those that are unknown or older than the
  // deliveries ask for. Throws StorageError.
  std::vector<ReadyEndpointPtr> endpoints_of(std::span<const LeasedDelivery> deliveries,
                                             EndpointSource& source);

  // Loads again those whose version differs, if they are in the cache; returns them. Throws
  // StorageError.
  std::vector<ReadyEndpointPtr> refresh(std::span<const std::pair<EndpointId, int>> versions,
                                        EndpointSource& source);

  // Every change that was committed before `began` is in the cache.
  void is_current_as_of(MonotonicTime began) { current_as_of_ = began; }
  // The epoch: nobody has looked yet.
  MonotonicTime current_as_of() const { return current_as_of_; }

  // nullptr if it is not there. Whatever is queued has its endpoint here.
  ReadyEndpointPtr find(const EndpointId& id) const;

  std::size_t size() const;
  std::size_t unusable() const;

 private:
  std::vector<ReadyEndpointPtr> load(const std::vector<EndpointId>& ids, EndpointSource& source);
  ReadyEndpointPtr store(Endpoint endpoint, MonotonicTime loaded_at);

  struct Entry {
    ReadyEndpointPtr endpoint;
    std::size_t bytes = 0;
    mutable bool asked_for = false;  // since the last sweep
  };
  void make_room();
  template <class Condition>
  void drop_unused(Condition condition);

  const Clock& clock_;
  std::atomic<MonotonicTime> current_as_of_{MonotonicTime{}};
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;     // about
  std::size_t sweep_at_ = 0;  // bytes_ at which room is made
  std::unordered_map<EndpointId, Entry> endpoints_;
};

}  // namespace sealpost
