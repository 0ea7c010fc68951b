// The API's side of core/validation_store.h, on MemoryAdminStores.
#include "base/hash.h"
#include "tests/support/memory_admin_stores.h"

namespace sealpost {

// What the API asks of it.
class MemoryConsentStore final : public ValidationStore {
 public:
  explicit MemoryConsentStore(MemoryAdminStores& all) : all_(all) {}

  std::vector<DueValidation> take_due(std::span<const std::int16_t>, int) override { return {}; }
  void asking(const DueValidation&, const std::string&, std::string_view) override {}
  bool conclude(const DueValidation&, const ValidationVerdict&) override { return false; }
  std::optional<EndpointId> consent(std::string_view secret_sha256,
                                    const std::optional<Consent>& rate) override {
    all_.enter("validations.consent");
    const std::lock_guard lock(all_.mutex_);
    const auto found = all_.callbacks_.find(std::string(secret_sha256));
    if (found == all_.callbacks_.end()) return std::nullopt;
    const EndpointId id = found->second;
    all_.callbacks_.erase(found);
    Endpoint& endpoint = all_.endpoints_.at(id.text());
    if (endpoint.validation.state != ValidationState::pending) return std::nullopt;
    endpoint.status = EndpointStatus::enabled;
    endpoint.status_reason.clear();
    endpoint.validation.state = ValidationState::valid;
    endpoint.validation.allowed_per_minute = rate.value_or(Consent{}).allowed_per_minute;
    ++endpoint.version;
    return id;
  }

 private:
  MemoryAdminStores& all_;
};

std::unique_ptr<ValidationStore> MemoryAdminStores::validations() {
  count_store();
  return std::make_unique<MemoryConsentStore>(*this);
}

void MemoryAdminStores::offer_callback(const EndpointId& id, const std::string& secret) {
  const std::lock_guard lock(mutex_);
  callbacks_[sha256(secret)] = id;
}

void MemoryAdminStores::change(const EndpointId& id, const std::function<void(Endpoint&)>& change) {
  const std::lock_guard lock(mutex_);
  change(endpoints_.at(id.text()));
}

}  // namespace sealpost
