// The signing secrets of MemoryAdminStores.
#include "base/ulid.h"
#include "core/limits.h"
#include "core/signing_secret.h"
#include "tests/support/memory_admin_stores.h"

namespace sealpost {

class MemorySecretStore final : public SecretStore {
 public:
  explicit MemorySecretStore(MemoryAdminStores& all) : all_(all) {}

  std::variant<RotatedSecrets, SecretRefusal> rotate(const std::optional<std::string>& tenant,
                                                     const EndpointId& id, int expected_version,
                                                     const SecretRotation& rotation) override {
    all_.enter("secrets.rotate");
    const std::lock_guard lock(all_.mutex_);
    Endpoint* const endpoint = find(tenant, id);
    if (!endpoint) return SecretRefusal::not_found;
    if (endpoint->version != expected_version) return SecretRefusal::version_differs;
    auto& secrets = all_.secrets_[id.text()];
    if (!rotation.force && !refusal(id)) return SecretRefusal::in_progress;
    for (auto& stored : secrets) {
      auto& expires_at = stored.record.expires_at;
      const WallTime soonest = now() + kMinSecretGrace;
      expires_at = expires_at ? std::min(*expires_at, soonest)
                              : now() + std::max(rotation.grace, kMinSecretGrace);
    }
    SecretRecord record{.id = SecretId(new_ulid("whs_", now(), all_.random_)),
                        .fingerprint = std::nullopt,
                        .reason = rotation.reason,
                        .created_at = now(),
                        .activated_at = std::nullopt,
                        .expires_at = std::nullopt};
    if (rotation.ours) record.fingerprint = secret_fingerprint(rotation.secret);
    secrets.insert(secrets.begin(), {record, std::string(rotation.secret.reveal())});
    if (!rotation.public_key.empty()) {
      endpoint->public_keys.insert(endpoint->public_keys.begin(), rotation.public_key);
    }
    ++endpoint->version;
    return RotatedSecrets{.now = record, .before = records(id).at(1)};
  }

  std::variant<std::vector<SecretRecord>, SecretRefusal> activate(
      const std::optional<std::string>& tenant, const EndpointId& id) override {
    return change("secrets.activate", tenant, id,
                  [&](auto& secrets) { secrets[0].record.activated_at = now(); });
  }

  std::variant<std::vector<SecretRecord>, SecretRefusal> revoke_previous(
      const std::optional<std::string>& tenant, const EndpointId& id) override {
    return change("secrets.revoke_previous", tenant, id,
                  [&](auto& secrets) { secrets[1].record.expires_at = now() + kMinSecretGrace; });
  }

  std::variant<std::vector<SecretRecord>, SecretRefusal> list(
      const std::optional<std::string>& tenant, const EndpointId& id) override {
    all_.enter("secrets.list");
    const std::lock_guard lock(all_.mutex_);
    if (!find(tenant, id)) return SecretRefusal::not_found;
    return records(id);
  }

 private:
  WallTime now() const { return all_.clock_.wall_now(); }

  Endpoint* find(const std::optional<std::string>& tenant, const EndpointId& id) {
    const auto found = all_.endpoints_.find(id.text());
    if (found == all_.endpoints_.end()) return nullptr;
    Endpoint& endpoint = found->second;
    const bool visible = !tenant || *tenant == endpoint.tenant;
    return visible && endpoint.status != EndpointStatus::deleted ? &endpoint : nullptr;
  }

  std::vector<SecretRecord> records(const EndpointId& id) {
    std::vector<SecretRecord> records;
    for (const auto& stored : all_.secrets_[id.text()]) {
      records.push_back(stored.record);
      records.back().expired = stored.record.expires_at && *stored.record.expires_at <= now();
    }
    return records;
  }

  // Why the endpoint has no second valid secret; nullopt: it has one.
  std::optional<SecretRefusal> refusal(const EndpointId& id) {
    const auto all = records(id);
    if (all.size() < 2) return SecretRefusal::no_rotation;
    if (all[1].expired) return SecretRefusal::expired;
    return std::nullopt;
  }

  template <class Change>
  std::variant<std::vector<SecretRecord>, SecretRefusal> change(
      const char* call, const std::optional<std::string>& tenant, const EndpointId& id,
      Change change_them) {
    all_.enter(call);
    const std::lock_guard lock(all_.mutex_);
    Endpoint* const endpoint = find(tenant, id);
    if (!endpoint) return SecretRefusal::not_found;
    if (const auto why = refusal(id)) return *why;
    change_them(all_.secrets_[id.text()]);
    ++endpoint->version;
    return records(id);
  }

  MemoryAdminStores& all_;
};

std::unique_ptr<SecretStore> MemoryAdminStores::secrets() {
  count_store();
  return std::make_unique<MemorySecretStore>(*this);
}

}  // namespace sealpost
