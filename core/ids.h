// The ids of the domain. Each is a prefix and a ULID; the prefix says what it is.
#pragma once

#include "base/strong_id.h"

namespace sealpost {

using EventId = StrongId<struct EventIdTag>;                  // evt_
using EndpointId = StrongId<struct EndpointIdTag>;            // we_
using DeliveryId = StrongId<struct DeliveryIdTag>;            // dlv_
using SecretId = StrongId<struct SecretIdTag>;                // whs_
using EncryptionKeyId = StrongId<struct EncryptionKeyIdTag>;  // whk_
using TokenId = StrongId<struct TokenIdTag>;                  // tok_

// Names one life of one dispatcher process. Every leased row carries the epoch of its holder; a
// takeover ends the epoch, and from then on nothing that names it changes anything.
using Epoch = long long;

}  // namespace sealpost
