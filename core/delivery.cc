#include "core/delivery.h"

#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<DeliveryState> kStates[] = {
    {DeliveryState::pending, "pending"},     {DeliveryState::delivering, "delivering"},
    {DeliveryState::delivered, "delivered"}, {DeliveryState::failed, "failed"},
    {DeliveryState::skipped, "skipped"},     {DeliveryState::canceled, "canceled"},
};

constexpr Word<FailureReason> kReasons[] = {
    {FailureReason::attempts_exhausted, "attempts_exhausted"},
    {FailureReason::rejected, "rejected"},
    {FailureReason::gone, "gone"},
    {FailureReason::blocked_by_policy, "blocked_by_policy"},
    {FailureReason::payload_refused, "payload_refused"},
    {FailureReason::endpoint_deleted, "endpoint_deleted"},
    {FailureReason::internal, "internal"},
};

}  // namespace

std::string_view to_text(DeliveryState state) { return text_of(kStates, state); }

std::optional<DeliveryState> delivery_state_from_text(std::string_view text) {
  return value_of(kStates, text);
}

std::string_view to_text(FailureReason reason) { return text_of(kReasons, reason); }

std::optional<FailureReason> failure_reason_from_text(std::string_view text) {
  return value_of(kReasons, text);
}

}  // namespace sealpost
