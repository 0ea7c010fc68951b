// The columns of endpoints that say how it stands with their validation (core/validation.h).
#pragma once

#include "core/endpoint.h"
#include "storage/pg_session.h"

namespace sealpost {

// What read_validation() reads, in its order; of `e`, the endpoint.
inline constexpr char kValidationColumns[] =
    "e.validation, e.validation_state, e.validation_reason, "
    "(extract(epoch FROM e.validation_asked_at) * 1000000)::bigint, e.validation_allowed_rate, "
    "e.validation_origin";
void read_validation(const PgRows& rows, int row, int first_column, Endpoint& endpoint);

// What read_standing() reads, in its order, from sealpost.endpoints.
inline constexpr char kStandingColumns[] = "status, status_reason, validation_state, validation";
Standing read_standing(const PgRows& rows, int row, int first_column);
ValidationKind read_validation_kind(const PgRows& rows, int row, int first_column);

// Of an endpoint that the transaction has locked. Forgets what a receiver answered, unless it stays
// valid.
void write_standing(PgTransaction& transaction, const EndpointId& id, ValidationKind kind,
                    const Standing& standing);

}  // namespace sealpost
