// The validations of a MemoryDatabase, by the test's clock.
#include <variant>

#include "tests/support/memory_delivery_store.h"

namespace sealpost {

class MemoryValidationStore final : public ValidationStore {
 public:
  explicit MemoryValidationStore(MemoryDatabase& database) : database_(database) {}

  std::vector<DueValidation> take_due(std::span<const std::int16_t>, int limit) override {
    return database_.run("take_due", [&] {
      std::vector<DueValidation> taken;
      for (auto& [id, question] : database_.questions_) {
        const Endpoint& endpoint = database_.endpoints_.at(id);
        const ValidationState state = endpoint.validation.state;
        const bool asks =
            state == ValidationState::pending ||
            (state == ValidationState::valid && endpoint.status == EndpointStatus::enabled);
        if (!asks || !question.due_at || *question.due_at > now()) continue;
        if (static_cast<int>(taken.size()) == limit) break;
        question.due_at = now() + kValidationHold;
        taken.push_back({id, endpoint.version, ++question.asked});
      }
      return taken;
    });
  }

  void asking(const DueValidation& due, const std::string& origin,
              std::string_view secret_sha256) override {
    database_.run("asking", [&] {
      database_.endpoints_.at(due.endpoint_id).validation.origin = origin;
      database_.questions_[due.endpoint_id].callback = secret_sha256;
    });
  }

  bool conclude(const DueValidation& due, const ValidationVerdict& verdict) override {
    return database_.run("conclude", [&] {
      Endpoint& endpoint = database_.endpoints_.at(due.endpoint_id);
      if (endpoint.version != due.version) return false;
      MemoryDatabase::Question& question = database_.questions_[due.endpoint_id];
      question.due_at.reset();
      const ValidationVerdict last = final_verdict(due, verdict);
      if (const auto* consent = std::get_if<Consent>(&last)) {
        consented(endpoint, *consent);
      } else if (const auto* refusal = std::get_if<NoConsent>(&last)) {
        endpoint.status = EndpointStatus::paused;
        endpoint.validation.state = ValidationState::refused;
        endpoint.validation.reason = refusal->reason;
        changed(endpoint);
      } else if (std::holds_alternative<NoAnswer>(last)) {
        question.due_at = now() + next_question_after(due.asked).value();
      }
      return true;
    });
  }

  std::optional<EndpointId> consent(std::string_view secret_sha256,
                                    const std::optional<Consent>& rate) override {
    return database_.run("consent", [&]() -> std::optional<EndpointId> {
      for (auto& [id, question] : database_.questions_) {
        if (question.callback != secret_sha256) continue;
        consented(database_.endpoints_.at(id), rate.value_or(Consent{}));
        return id;
      }
      return std::nullopt;
    });
  }

 private:
  void consented(Endpoint& endpoint, const Consent& consent) {
    MemoryDatabase::Question& question = database_.questions_[endpoint.id];
    question = {};
    if (endpoint.settings.validation == ValidationKind::challenge) {
      question.due_at = now() + kValidFor;
    }
    if (endpoint.validation.state == ValidationState::pending) {
      endpoint.status = EndpointStatus::enabled;
    }
    endpoint.validation.state = ValidationState::valid;
    endpoint.validation.allowed_per_minute = consent.allowed_per_minute;
    changed(endpoint);
  }
  void changed(Endpoint& endpoint) {
    ++endpoint.version;
    database_.changed_at_[endpoint.id] = now();
  }
  MonotonicTime now() const { return database_.clock_.monotonic_now(); }

  MemoryDatabase& database_;
};

void MemoryDatabase::validate(const EndpointId& id, ValidationKind kind) {
  change_endpoint(id, [&](Endpoint& endpoint) {
    endpoint.settings.validation = kind;
    const Standing standing = standing_after_change(endpoint.standing(), kind);
    endpoint.status = standing.status;
    endpoint.status_reason = standing.status_reason;
    endpoint.validation = {.state = standing.validation};
    questions_[id] = {};
    if (standing.ask) questions_[id].due_at = clock_.monotonic_now();
  });
}

std::unique_ptr<ValidationStore> MemoryDatabase::validations() {
  return std::make_unique<MemoryValidationStore>(*this);
}

}  // namespace sealpost
