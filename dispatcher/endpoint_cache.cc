#include "dispatcher/endpoint_cache.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "base/log.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

// Of these two secrets everything that was learnt still holds.
bool same_secrets(const Endpoint& one, const Endpoint& other) {
  return one.secret_key_ids == other.secret_key_ids && one.grace && other.grace &&
         one.grace->activated == other.grace->activated;
}

// A deleted endpoint's secrets do not matter any more, and it is nobody's task to repair them.
std::shared_ptr<const PreparedEndpoint> prepare_or_hold(Endpoint endpoint) {
  if (endpoint.status == EndpointStatus::deleted) {
    return std::make_shared<const PreparedEndpoint>(
        PreparedEndpoint{.endpoint = std::move(endpoint)});
  }
  try {
    return prepare(endpoint);
  } catch (const std::invalid_argument& error) {
    log_error("endpoint.unusable", {{"endpoint_id", endpoint.id.text()},
                                    {"tenant", endpoint.tenant},
                                    {"version", endpoint.version},
                                    {"error", error.what()}});
    return std::make_shared<const PreparedEndpoint>(
        PreparedEndpoint{.endpoint = std::move(endpoint)});
  }
}

// About what one takes in memory: 4 KiB for an endpoint of the usual kind with its signer, and its
// long texts.
std::size_t size_of(const Endpoint& endpoint) {
  const EndpointSettings& settings = endpoint.settings;
  std::size_t bytes = 4096 + settings.url.size() + settings.description.size();
  for (const std::string& pattern : settings.enabled_events) bytes += 32 + pattern.size();
  for (const auto& [name, value] : settings.headers) {
    bytes += 128 + name.size() + value.reveal().size();
  }
  for (const auto& [key, value] : settings.metadata) bytes += 128 + key.size() + value.size();
  return bytes;
}

// Endpoints are kept as deleted for as long as anything names them, so a missing one is as good as
// deleted.
Endpoint deleted_endpoint(const EndpointId& id, int version) {
  Endpoint endpoint;
  endpoint.id = id;
  endpoint.status = EndpointStatus::deleted;
  endpoint.version = version;
  return endpoint;
}

}  // namespace

ReadyEndpoint::Signing ReadyEndpoint::signing(MonotonicTime now) const {
  const auto& rotation = prepared->rotation;
  if (rotation && now >= grace_ends) {
    return {.with = &rotation->new_only, .key_ids = &rotation->new_only.key_ids};
  }
  if (rotation && order->next == SecretOrder::new_last) {
    return {.with = &rotation->new_last,
            .key_ids = &rotation->new_last.key_ids,
            .order = SecretOrder::new_last,
            .in_grace = true};
  }
  if (rotation && rotation->old_only && now < new_key_from) {
    return {
        .with = &*rotation->old_only, .key_ids = &rotation->old_only->key_ids, .in_grace = true};
  }
  return {.with = &prepared->usual,
          .key_ids = &prepared->usual.key_ids,
          .in_grace = rotation.has_value()};
}

std::vector<ReadyEndpointPtr> EndpointCache::endpoints_of(
    std::span<const LeasedDelivery> deliveries, EndpointSource& source) {
  std::unordered_map<EndpointId, int> needed;  // id, newest version
  for (const LeasedDelivery& delivery : deliveries) {
    int& version = needed[delivery.endpoint_id];
    version = std::max(version, delivery.endpoint_version);
  }
  std::vector<ReadyEndpointPtr> ready;
  std::vector<EndpointId> missing;
  for (const auto& [id, version] : needed) {
    ReadyEndpointPtr cached = find(id);
    if (cached != nullptr && cached->endpoint().version >= version) {
      ready.push_back(std::move(cached));
    } else {
      missing.push_back(id);
    }
  }
  if (missing.empty()) return ready;
  for (ReadyEndpointPtr& loaded : load(missing, source)) ready.push_back(std::move(loaded));
  std::unordered_set<EndpointId> known;
  for (const ReadyEndpointPtr& endpoint : ready) known.insert(endpoint->endpoint().id);
  for (const EndpointId& id : missing) {
    if (!known.contains(id)) ready.push_back(store(deleted_endpoint(id, needed[id]), {}));
  }
  return ready;
}

std::vector<ReadyEndpointPtr> EndpointCache::refresh(
    std::span<const std::pair<EndpointId, int>> versions, EndpointSource& source) {
  std::vector<EndpointId> changed;
  for (const auto& [id, version] : versions) {
    const ReadyEndpointPtr cached = find(id);
    if (cached != nullptr && cached->endpoint().version != version) changed.push_back(id);
  }
  if (changed.empty()) return {};
  return load(changed, source);
}

std::vector<ReadyEndpointPtr> EndpointCache::load(const std::vector<EndpointId>& ids,
                                                  EndpointSource& source) {
  std::vector<ReadyEndpointPtr> loaded;
  // Before the statement, so that a grace ends here rather a little too early than too late.
  const MonotonicTime now = clock_.monotonic_now();
  for (Endpoint& endpoint : source.load(ids)) loaded.push_back(store(std::move(endpoint), now));
  return loaded;
}

ReadyEndpointPtr EndpointCache::store(Endpoint endpoint, MonotonicTime loaded_at) {
  auto ready = std::make_shared<ReadyEndpoint>();
  if (endpoint.grace) {
    ready->grace_ends = loaded_at + endpoint.grace->left;
    // From now and not from before the statement: rather a little too late.
    ready->new_key_from =
        clock_.monotonic_now() +
        std::max<Milliseconds>(kKeyPublishedBeforeUse - endpoint.grace->new_for, Milliseconds{0});
    if (endpoint.grace->activated) ready->order->next = SecretOrder::new_last;
  }
  ready->prepared = prepare_or_hold(std::move(endpoint));
  const std::size_t bytes = size_of(ready->endpoint());
  const std::lock_guard lock(mutex_);
  make_room();
  Entry& entry = endpoints_[ready->endpoint().id];
  ReadyEndpointPtr& place = entry.endpoint;
  // Two threads may load the same endpoint; the later answer may be the older one.
  if (place != nullptr && place->endpoint().version > ready->endpoint().version) return place;
  ready->load = place != nullptr ? place->load : std::make_shared<EndpointLoad>();
  if (place != nullptr && same_secrets(place->endpoint(), ready->endpoint())) {
    ready->order = place->order;
  }
  ready->load->takes_more = ready->takes_more();
  place = std::move(ready);
  bytes_ += bytes - entry.bytes;
  entry.bytes = bytes;
  entry.asked_for = true;
  return place;
}

// Swept in bulk, so that the price is paid once per many new endpoints. What is in use stays, even
// if that is more than the limit: it is bounded by what may be queued and in flight (kMaxQueued,
// SEALPOST_MAX_IN_FLIGHT, kMaxLanes).
void EndpointCache::make_room() {
  if (bytes_ < sweep_at_) return;
  drop_unused([](const Entry& entry) { return !entry.asked_for; });
  if (bytes_ > max_bytes_ / 4 * 3) drop_unused([](const Entry&) { return true; });
  for (auto& [id, entry] : endpoints_) entry.asked_for = false;
  sweep_at_ = std::max(max_bytes_, bytes_ + max_bytes_ / 4);
}

// New users come by the map only, under the lock: who is its only user now stays that.
template <class Condition>
void EndpointCache::drop_unused(Condition condition) {
  std::erase_if(endpoints_, [&](const auto& item) {
    const Entry& entry = item.second;
    const bool in_use = entry.endpoint.use_count() > 1 || entry.endpoint->load.use_count() > 1;
    if (in_use || !condition(entry)) return false;
    bytes_ -= entry.bytes;
    return true;
  });
}

ReadyEndpointPtr EndpointCache::find(const EndpointId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = endpoints_.find(id);
  if (found == endpoints_.end()) return nullptr;
  found->second.asked_for = true;
  return found->second.endpoint;
}

std::size_t EndpointCache::size() const {
  const std::lock_guard lock(mutex_);
  return endpoints_.size();
}

std::size_t EndpointCache::unusable() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(endpoints_.begin(), endpoints_.end(), [](const auto& entry) {
        const ReadyEndpoint& ready = *entry.second.endpoint;
        return ready.endpoint().status == EndpointStatus::enabled && !ready.may_send();
      }));
}

}  // namespace sealpost
