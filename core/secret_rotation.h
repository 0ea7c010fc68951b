// Which of an endpoint's secrets sign an attempt while two of them are valid: the new one, and the
// old one until its grace ends.
//
// Receivers change their secret some time during the grace, and their parsers differ: of several
// signatures some try all, some look at the first only, some (any that read the header into a
// dictionary) at the last only. So the order matters, and it is learnt from the answers:
//   * old_last comes first: whoever has not noticed the rotation, or reads the last signature,
//     verifies with the old secret;
//   * a refusal (AttemptOutcome::signature_refused) swaps the order for the next attempt;
//   * what was accepted last stays.
// A dialect with room for one signature signs with the secret that stands last, so the same rule
// lets it keep to the old secret until a refusal or the end of the grace.
//
// Pure: no clock, no I/O.
#pragma once

#include "base/clock.h"
#include "core/attempt.h"

namespace sealpost {

enum class SecretOrder {
  old_last,  // new, old
  new_last,  // old, new
};

SecretOrder swapped(SecretOrder order);

// What is believed about one endpoint during one grace.
struct OrderBelief {
  SecretOrder next = SecretOrder::old_last;  // what the next attempt uses
  MonotonicTime evidence{};  // start of the attempt that taught it; none so far: the epoch
};

// What an attempt during the grace teaches. Attempts end in another order than they began in; what
// began later counts, because the receiver may have changed its secret in between. Outcomes that
// say nothing about signatures (no answer, 500) teach nothing.
OrderBelief learn(const OrderBelief& before, SecretOrder used, MonotonicTime started_at,
                  const AttemptOutcome& outcome);

}  // namespace sealpost
