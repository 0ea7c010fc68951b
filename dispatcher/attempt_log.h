// One wide line per attempt, delivery.attempted: at info if it failed or an encrypted
// answer did not open, at debug if it succeeded (at
// 30,000 a second nobody reads those). Never payloads, header values, secrets or URLs.
#pragma once

#include "core/delivery_store.h"
#include "core/endpoint.h"

namespace sealpost {

void log_attempt(const FinishedAttempt& attempt, const Endpoint& endpoint);

}  // namespace sealpost
