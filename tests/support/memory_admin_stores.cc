#include "tests/support/memory_admin_stores.h"

#include <atomic>
#include <utility>

#include "base/check.h"
#include "base/ulid.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

// Two threads in one store would be two threads on one connection.
class OneAtATime {
 public:
  explicit OneAtATime(std::atomic<bool>& busy) : busy_(busy) {
    CHECK(!busy_.exchange(true), "two threads use one store at once");
  }
  ~OneAtATime() { busy_ = false; }

 private:
  std::atomic<bool>& busy_;
};

bool is_visible(const std::optional<std::string>& tenant, const std::string& owner) {
  return !tenant || *tenant == owner;
}

// The page of `rows` (by id, ascending) that `request` asks for, of those that `matches`.
template <class Item, class Rows, class Matches, class ToItem>
Page<Item> page_of(const Rows& rows, const PageRequest& request, Matches matches, ToItem to_item) {
  Page<Item> page;
  std::string last;
  for (auto at = rows.rbegin(); at != rows.rend(); ++at) {
    if (!request.cursor.empty() && at->first >= request.cursor) continue;
    if (!matches(at->second)) continue;
    if (page.items.size() == static_cast<std::size_t>(request.limit)) {
      page.next_cursor = last;
      break;
    }
    page.items.push_back(to_item(at->second));
    last = at->first;
  }
  return page;
}

}  // namespace

class MemoryEndpointStore final : public EndpointStore {
 public:
  explicit MemoryEndpointStore(MemoryAdminStores& all) : all_(all) {}

  Endpoint create(const NewEndpoint& wanted) override {
    const OneAtATime use(busy_);
    all_.enter("endpoints.create");
    const std::lock_guard lock(all_.mutex_);
    Endpoint endpoint;
    endpoint.created_at = endpoint.updated_at = all_.clock_.wall_now();
    endpoint.id = EndpointId(new_ulid("we_", endpoint.created_at, all_.random_));
    endpoint.tenant = wanted.tenant;
    endpoint.settings = wanted.settings;
    set(endpoint, first_standing(wanted.settings.validation));
    all_.store_own_key(endpoint);
    const std::string key = public_key_of(signing_profile_of(wanted.settings), wanted.secret);
    if (!key.empty()) endpoint.public_keys = {key};
    SecretRecord secret;
    secret.id = SecretId(new_ulid("whs_", endpoint.created_at, all_.random_));
    secret.created_at = endpoint.created_at;
    if (wanted.secret_is_ours) secret.fingerprint = secret_fingerprint(wanted.secret);
    all_.secrets_[endpoint.id.text()] = {{secret, std::string(wanted.secret.reveal())}};
    return shown(all_.endpoints_[endpoint.id.text()] = endpoint);
  }

  std::optional<Endpoint> get(const std::optional<std::string>& tenant,
                              const EndpointId& id) override {
    const OneAtATime use(busy_);
    all_.enter("endpoints.get");
    const std::lock_guard lock(all_.mutex_);
    const Endpoint* const endpoint = find(tenant, id);
    return endpoint ? std::optional(shown(*endpoint)) : std::nullopt;
  }

  std::vector<std::string> public_keys() override {
    const OneAtATime use(busy_);
    all_.enter("endpoints.public_keys");
    const std::lock_guard lock(all_.mutex_);
    std::vector<std::string> keys;
    for (const auto& entry : all_.endpoints_) {
      for (const std::string& key : entry.second.public_keys) keys.push_back(key);
    }
    return keys;
  }

  Page<Endpoint> list(const std::optional<std::string>& tenant, const PageRequest& page) override {
    const OneAtATime use(busy_);
    all_.enter("endpoints.list");
    const std::lock_guard lock(all_.mutex_);
    const auto matches = [&](const Endpoint& endpoint) {
      return is_visible(tenant, endpoint.tenant) && endpoint.status != EndpointStatus::deleted;
    };
    return page_of<Endpoint>(all_.endpoints_, page, matches,
                             [this](const Endpoint& endpoint) { return shown(endpoint); });
  }

  ChangeResult update(const std::optional<std::string>& tenant, const EndpointId& id,
                      const EndpointSettings& settings,
                      std::optional<int> expected_version) override {
    const OneAtATime use(busy_);
    all_.enter("endpoints.update");
    return change(tenant, id, expected_version, [&](Endpoint& endpoint) {
      Endpoint changed = endpoint;
      changed.settings = settings;
      if (settings.validation != endpoint.settings.validation ||
          settings.url != endpoint.settings.url) {
        set(changed, standing_after_change(endpoint.standing(), settings.validation));
      }
      all_.store_own_key(changed);
      endpoint = changed;
    });
  }

  ChangeResult set_status(const std::optional<std::string>& tenant, const EndpointId& id,
                          EndpointStatus status, const std::string& reason,
                          std::optional<int> expected_version) override {
    const OneAtATime use(busy_);
    all_.enter("endpoints.set_status");
    return change(tenant, id, expected_version, [&](Endpoint& endpoint) {
      set(endpoint,
          standing_after(endpoint.standing(), endpoint.settings.validation, status, reason));
    });
  }

 private:
  static void set(Endpoint& endpoint, const Standing& standing) {
    endpoint.status = standing.status;
    endpoint.status_reason = standing.status_reason;
    if (standing.validation == ValidationState::valid) return;
    endpoint.validation = {.state = standing.validation};
  }

  Endpoint shown(Endpoint endpoint) const {
    if (endpoint.settings.encryption.enabled) endpoint.encryption_keys = all_.keys_of(endpoint);
    return endpoint;
  }

  Endpoint* find(const std::optional<std::string>& tenant, const EndpointId& id) {
    const auto found = all_.endpoints_.find(id.text());
    if (found == all_.endpoints_.end() || !is_visible(tenant, found->second.tenant)) return nullptr;
    return &found->second;
  }

  template <class Change>
  ChangeResult change(const std::optional<std::string>& tenant, const EndpointId& id,
                      std::optional<int> expected_version, Change change_it) {
    const std::lock_guard lock(all_.mutex_);
    Endpoint* const endpoint = find(tenant, id);
    if (!endpoint || endpoint->status == EndpointStatus::deleted) return ChangeResult::not_found;
    if (expected_version && *expected_version != endpoint->version) {
      return ChangeResult::version_differs;
    }
    change_it(*endpoint);
    ++endpoint->version;
    endpoint->updated_at = all_.clock_.wall_now();
    return ChangeResult::changed;
  }

  MemoryAdminStores& all_;
  std::atomic<bool> busy_{false};
};

class MemoryHistoryStore final : public HistoryStore {
 public:
  explicit MemoryHistoryStore(MemoryAdminStores& all) : all_(all) {}

  std::optional<Event> event(const std::optional<std::string>& tenant, const EventId& id) override {
    const OneAtATime use(busy_);
    all_.enter("history.event");
    const std::lock_guard lock(all_.mutex_);
    const auto found = all_.events_.find(id.text());
    if (found == all_.events_.end() || !is_visible(tenant, found->second.tenant)) return {};
    return found->second;
  }

  Page<Event> events(const std::optional<std::string>& tenant, const PageRequest& page) override {
    const OneAtATime use(busy_);
    all_.enter("history.events");
    const std::lock_guard lock(all_.mutex_);
    return page_of<Event>(
        all_.events_, page, [&](const Event& event) { return is_visible(tenant, event.tenant); },
        [](const Event& event) { return event; });
  }

  std::optional<DeliveryRecord> delivery(const std::optional<std::string>& tenant,
                                         const DeliveryId& id) override {
    const OneAtATime use(busy_);
    all_.enter("history.delivery");
    const std::lock_guard lock(all_.mutex_);
    const auto* const stored = find(tenant, id);
    return stored ? std::optional(stored->record) : std::nullopt;
  }

  Page<DeliveryRecord> deliveries(const std::optional<std::string>& tenant,
                                  const DeliveryFilter& filter, const PageRequest& page) override {
    const OneAtATime use(busy_);
    all_.enter("history.deliveries");
    const std::lock_guard lock(all_.mutex_);
    const auto matches = [&](const auto& stored) {
      const DeliveryRecord& record = stored.record;
      return is_visible(tenant, record.tenant) &&
             (!filter.endpoint_id || *filter.endpoint_id == record.endpoint_id) &&
             (!filter.event_id || *filter.event_id == record.event_id) &&
             (!filter.event_type || *filter.event_type == record.event_type) &&
             (!filter.state || *filter.state == record.state) &&
             (!filter.created_after || record.created_at > *filter.created_after) &&
             (!filter.created_before || record.created_at < *filter.created_before);
    };
    return page_of<DeliveryRecord>(all_.deliveries_, page, matches,
                                   [](const auto& stored) { return stored.record; });
  }

  std::vector<AttemptRecord> attempts(const DeliveryId& id) override {
    const OneAtATime use(busy_);
    all_.enter("history.attempts");
    const std::lock_guard lock(all_.mutex_);
    const auto* const stored = find(std::nullopt, id);
    return stored ? stored->attempts : std::vector<AttemptRecord>();
  }

  std::optional<ResponsePayload> response_payload(const std::optional<std::string>& tenant,
                                                  const DeliveryId& id) override {
    const OneAtATime use(busy_);
    all_.enter("history.response_payload");
    const std::lock_guard lock(all_.mutex_);
    const auto* const stored = find(tenant, id);
    return stored ? stored->payload : std::nullopt;
  }

  ReplayResult replay(const std::optional<std::string>& tenant, const DeliveryId& id) override {
    const OneAtATime use(busy_);
    all_.enter("history.replay");
    const std::lock_guard lock(all_.mutex_);
    auto* const stored = find(tenant, id);
    if (!stored || stored->record.state != DeliveryState::failed) return ReplayResult::not_found;
    DeliveryRecord& record = stored->record;
    const auto endpoint = all_.endpoints_.find(record.endpoint_id.text());
    if (endpoint == all_.endpoints_.end()) return ReplayResult::not_found;
    const EndpointStatus status = endpoint->second.status;
    if (status == EndpointStatus::disabled) return ReplayResult::endpoint_disabled;
    if (status == EndpointStatus::deleted) return ReplayResult::endpoint_deleted;
    record.state = DeliveryState::pending;
    record.reason.reset();
    ++record.generation;
    record.attempts_made = 0;
    record.next_attempt_at = all_.clock_.wall_now();
    record.finished_at.reset();
    return ReplayResult::replayed;
  }

  bool discard_dead_letter(const std::optional<std::string>& tenant,
                           const DeliveryId& id) override {
    const OneAtATime use(busy_);
    all_.enter("history.discard_dead_letter");
    const std::lock_guard lock(all_.mutex_);
    auto* const stored = find(tenant, id);
    if (!stored || stored->record.state != DeliveryState::failed) return false;
    stored->record.state = DeliveryState::canceled;
    return true;
  }

 private:
  MemoryAdminStores::StoredDelivery* find(const std::optional<std::string>& tenant,
                                          const DeliveryId& id) {
    const auto found = all_.deliveries_.find(id.text());
    if (found == all_.deliveries_.end()) return nullptr;
    return is_visible(tenant, found->second.record.tenant) ? &found->second : nullptr;
  }

  MemoryAdminStores& all_;
  std::atomic<bool> busy_{false};
};

class MemoryTokenStore final : public TokenStore {
 public:
  explicit MemoryTokenStore(MemoryAdminStores& all) : all_(all) {}

  SecretText create(const std::string& name, Role role,
                    const std::optional<std::string>& tenant) override {
    const OneAtATime use(busy_);
    all_.enter("tokens.create");
    const std::lock_guard lock(all_.mutex_);
    const WallTime now = all_.clock_.wall_now();
    const std::string token = new_ulid("sp_", now, all_.random_);
    all_.tokens_[token] = {.id = TokenId(new_ulid("tok_", now, all_.random_)),
                           .name = name,
                           .role = role,
                           .tenant = tenant};
    return SecretText(token);
  }

  std::optional<TokenInfo> find(const SecretText& token) override {
    const OneAtATime use(busy_);
    all_.enter("tokens.find");
    const std::lock_guard lock(all_.mutex_);
    const auto found = all_.tokens_.find(std::string(token.reveal()));
    if (found == all_.tokens_.end()) return std::nullopt;
    return found->second;
  }

 private:
  MemoryAdminStores& all_;
  std::atomic<bool> busy_{false};
};

std::unique_ptr<EndpointStore> MemoryAdminStores::endpoints() {
  count_store();
  return std::make_unique<MemoryEndpointStore>(*this);
}

std::unique_ptr<HistoryStore> MemoryAdminStores::history() {
  count_store();
  return std::make_unique<MemoryHistoryStore>(*this);
}

std::unique_ptr<TokenStore> MemoryAdminStores::tokens() {
  count_store();
  return std::make_unique<MemoryTokenStore>(*this);
}

void MemoryAdminStores::before_each_call(std::function<void(std::string_view)> action) {
  const std::lock_guard lock(mutex_);
  action_ = std::move(action);
}

void MemoryAdminStores::add_event(Event event) {
  const std::lock_guard lock(mutex_);
  events_[event.id.text()] = std::move(event);
}

void MemoryAdminStores::add_response_payload(const DeliveryId& id, ResponsePayload payload) {
  const std::lock_guard lock(mutex_);
  deliveries_.at(id.text()).payload = std::move(payload);
}

void MemoryAdminStores::add_delivery(DeliveryRecord delivery, std::vector<AttemptRecord> attempts) {
  const std::lock_guard lock(mutex_);
  const std::string id = delivery.id.text();
  deliveries_[id] = {std::move(delivery), std::move(attempts)};
}

std::string MemoryAdminStores::secret_of(const EndpointId& id) const {
  const std::lock_guard lock(mutex_);
  return secrets_.at(id.text()).front().text;
}

EndpointSettings MemoryAdminStores::settings_of(const EndpointId& id) const {
  const std::lock_guard lock(mutex_);
  return endpoints_.at(id.text()).settings;
}

int MemoryAdminStores::stores_made() const {
  const std::lock_guard lock(mutex_);
  return stores_made_;
}

void MemoryAdminStores::enter(std::string_view call) {
  std::function<void(std::string_view)> action;
  {
    const std::lock_guard lock(mutex_);
    action = action_;
  }
  if (action) action(call);
}

void MemoryAdminStores::count_store() {
  const std::lock_guard lock(mutex_);
  ++stores_made_;
}

}  // namespace sealpost
