#include <algorithm>

#include "base/ulid.h"
#include "core/limits.h"
#include "tests/support/memory_admin_stores.h"

namespace sealpost {
namespace {

bool is_visible(const std::optional<std::string>& tenant, const std::string& owner) {
  return !tenant || *tenant == owner;
}

}  // namespace

// Within a scope the order of the map is the order of creation, as ids are times.
class MemoryEncryptionKeyStore final : public EncryptionKeyStore {
 public:
  explicit MemoryEncryptionKeyStore(MemoryAdminStores& all) : all_(all) {}

  std::variant<StoredEncryptionKey, Refusal> add(const NewEncryptionKey& key) override {
    all_.enter("encryption_keys.add");
    const std::lock_guard lock(all_.mutex_);
    StoredEncryptionKey stored;
    stored.tenant = key.tenant.value_or("");
    if (key.endpoint_id) {
      const auto endpoint = all_.endpoints_.find(key.endpoint_id->text());
      if (endpoint == all_.endpoints_.end() || !is_visible(key.tenant, endpoint->second.tenant)) {
        return Refusal::endpoint_not_found;
      }
      stored.tenant = endpoint->second.tenant;
    }
    std::size_t present = 0;
    for (const auto& entry : all_.keys_) {
      if (entry.second.tenant != stored.tenant || entry.second.endpoint_id != key.endpoint_id) {
        continue;
      }
      if (entry.second.key.public_key == key.public_key) return Refusal::exists;
      ++present;
    }
    if (present >= kMaxEncryptionKeys) return Refusal::too_many;
    return all_.add_key(stored.tenant, key.endpoint_id, key.public_key, key.label);
  }

  std::optional<StoredEncryptionKey> get(const std::optional<std::string>& tenant,
                                         const EncryptionKeyId& id) override {
    all_.enter("encryption_keys.get");
    const std::lock_guard lock(all_.mutex_);
    const auto found = all_.keys_.find(id.text());
    if (found == all_.keys_.end() || !is_visible(tenant, found->second.tenant)) return {};
    StoredEncryptionKey stored = found->second;
    stored.primary = all_.primary_of(stored) == stored.key.id;
    return stored;
  }

  Page<StoredEncryptionKey> list(const std::optional<std::string>& tenant,
                                 const PageRequest& request) override {
    all_.enter("encryption_keys.list");
    const std::lock_guard lock(all_.mutex_);
    Page<StoredEncryptionKey> page;
    for (auto at = all_.keys_.rbegin(); at != all_.keys_.rend(); ++at) {
      if (!is_visible(tenant, at->second.tenant)) continue;
      if (!request.cursor.empty() && at->first >= request.cursor) continue;
      if (page.items.size() == static_cast<std::size_t>(request.limit)) {
        page.next_cursor = page.items.back().key.id.text();
        break;
      }
      page.items.push_back(at->second);
      page.items.back().primary = all_.primary_of(at->second) == at->second.key.id;
    }
    return page;
  }

  RemoveResult remove(const std::optional<std::string>& tenant,
                      const EncryptionKeyId& id) override {
    all_.enter("encryption_keys.remove");
    const std::lock_guard lock(all_.mutex_);
    const auto found = all_.keys_.find(id.text());
    if (found == all_.keys_.end() || !is_visible(tenant, found->second.tenant)) {
      return RemoveResult::not_found;
    }
    const StoredEncryptionKey removed = found->second;
    all_.keys_.erase(found);
    for (const auto& entry : all_.endpoints_) {
      const Endpoint& endpoint = entry.second;
      if (endpoint.settings.encryption.enabled && endpoint.status != EndpointStatus::deleted &&
          endpoint.tenant == removed.tenant && all_.keys_of(endpoint).empty()) {
        all_.keys_[id.text()] = removed;
        return RemoveResult::last_key;
      }
    }
    return RemoveResult::removed;
  }

  std::vector<EncryptionKeyId> remove_old(const std::string& tenant,
                                          const std::optional<EndpointId>& endpoint_id) override {
    all_.enter("encryption_keys.remove_old");
    const std::lock_guard lock(all_.mutex_);
    std::vector<EncryptionKeyId> scope;
    for (const auto& entry : all_.keys_) {
      if (entry.second.tenant == tenant && entry.second.endpoint_id == endpoint_id) {
        scope.push_back(entry.second.key.id);
      }
    }
    if (!scope.empty()) scope.pop_back();
    for (const EncryptionKeyId& id : scope) all_.keys_.erase(id.text());
    return scope;
  }

  bool make_primary(const std::optional<std::string>& tenant, const EncryptionKeyId& id) override {
    all_.enter("encryption_keys.make_primary");
    const std::lock_guard lock(all_.mutex_);
    const auto found = all_.keys_.find(id.text());
    if (found == all_.keys_.end() || !is_visible(tenant, found->second.tenant)) return false;
    std::erase(all_.made_primary_, id);
    all_.made_primary_.push_back(id);
    return true;
  }

 private:
  MemoryAdminStores& all_;
};

std::unique_ptr<EncryptionKeyStore> MemoryAdminStores::encryption_keys() {
  count_store();
  return std::make_unique<MemoryEncryptionKeyStore>(*this);
}

StoredEncryptionKey MemoryAdminStores::add_key(const std::string& tenant,
                                               const std::optional<EndpointId>& endpoint_id,
                                               const std::string& public_key,
                                               const std::string& label) {
  StoredEncryptionKey stored;
  stored.created_at = clock_.wall_now();
  // The clock of a test may stand still, and the order of creation must show all the same.
  const std::string id = new_ulid("whk_", stored.created_at + Milliseconds(++keys_made_), random_);
  stored.key = encryption_key(EncryptionKeyId(id), public_key);
  stored.tenant = tenant;
  stored.endpoint_id = endpoint_id;
  stored.label = label;
  keys_[id] = stored;
  stored.primary = primary_of(stored) == stored.key.id;
  return stored;
}

EncryptionKeyId MemoryAdminStores::primary_of(const StoredEncryptionKey& of) const {
  const auto same_scope = [&](const StoredEncryptionKey& other) {
    return other.tenant == of.tenant && other.endpoint_id == of.endpoint_id;
  };
  for (auto at = made_primary_.rbegin(); at != made_primary_.rend(); ++at) {
    const auto found = keys_.find(at->text());
    if (found != keys_.end() && same_scope(found->second)) return *at;
  }
  const auto oldest = std::find_if(keys_.begin(), keys_.end(),
                                   [&](const auto& entry) { return same_scope(entry.second); });
  return oldest->second.key.id;
}

std::vector<EncryptionKey> MemoryAdminStores::keys_of(const Endpoint& endpoint) const {
  std::vector<EncryptionKey> own, shared;
  for (const auto& entry : keys_) {
    const StoredEncryptionKey& stored = entry.second;
    if (stored.tenant != endpoint.tenant) continue;
    std::vector<EncryptionKey>* keys = nullptr;
    if (!stored.endpoint_id) keys = &shared;
    if (stored.endpoint_id == endpoint.id) keys = &own;
    if (keys == nullptr) continue;
    const bool primary = primary_of(stored) == stored.key.id;
    keys->insert(primary ? keys->begin() : keys->end(), stored.key);
  }
  return own.empty() ? shared : own;
}

void MemoryAdminStores::store_own_key(Endpoint& endpoint) {
  EncryptionSettings& encryption = endpoint.settings.encryption;
  if (encryption.enabled && !encryption.new_public_key && keys_of(endpoint).empty()) {
    throw EncryptionKeyMissing();
  }
  if (!encryption.new_public_key) return;
  const std::string key = *std::exchange(encryption.new_public_key, std::nullopt);
  std::erase_if(keys_, [&](const auto& entry) { return entry.second.endpoint_id == endpoint.id; });
  add_key(endpoint.tenant, endpoint.id, key, "");
}

}  // namespace sealpost
