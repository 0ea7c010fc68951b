// What receivers answered encrypted, opened (core/sealed_response.h), in the table
// response_payloads: encrypted again, under the master key. One row for each delivery whose last
// answer was opened; nothing is run or read for others.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/delivery_store.h"
#include "core/history_store.h"
#include "storage/pg_session.h"
#include "storage/sealer.h"

namespace sealpost {

// Of those attempts that have one and that this transaction recorded as the one that delivered.
void store_response_payloads(PgTransaction& transaction, const Sealer& sealer,
                             std::span<const FinishedAttempt* const> attempts);

std::optional<ResponsePayload> load_response_payload(PgSession& session, const Sealer& sealer,
                                                     const std::optional<std::string>& tenant,
                                                     const DeliveryId& id);

}  // namespace sealpost
