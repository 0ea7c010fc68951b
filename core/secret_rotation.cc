#include "core/secret_rotation.h"

namespace sealpost {

SecretOrder swapped(SecretOrder order) {
  return order == SecretOrder::old_last ? SecretOrder::new_last : SecretOrder::old_last;
}

OrderBelief learn(const OrderBelief& before, SecretOrder used, MonotonicTime started_at,
                  const AttemptOutcome& outcome) {
  if (started_at < before.evidence) return before;
  if (outcome.succeeded()) return {.next = used, .evidence = started_at};
  if (outcome.signature_refused()) return {.next = swapped(used), .evidence = started_at};
  return before;
}

}  // namespace sealpost
