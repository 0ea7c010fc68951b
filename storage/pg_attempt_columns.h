// Finished attempts as parameters of the statements in pg_finish.cc: one array per column.
#pragma once

#include <vector>

#include "core/delivery_store.h"
#include "storage/pg_parameters.h"

namespace sealpost {

using Attempts = std::vector<const FinishedAttempt*>;

// id, epoch, generation, number; decision, reason, wait_us; started_us, duration_us; dns_us,
// connect_us, tls_us, first_byte_us; status_code, error, error_detail; remote_address,
// response_body, response_truncated, signature_key_ids.
PgParameters attempt_parameters(const Attempts& attempts, MonotonicTime now);

// receiver_error_code, response_decrypt_failed: of most batches no attempt has one, and then these
// arrays are empty.
void add_rare_columns(const Attempts& attempts, PgParameters& parameters);

}  // namespace sealpost
