// Finished attempts as parameters of the statements in pg_finish.cc: one array per column.
#pragma once

#include <vector>

#include "core/delivery_store.h"
#include "storage/pg_parameters.h"

namespace sealpost {

using Attempts = std::vector<const FinishedAttempt*>;

// id, epoch, generation, number; decision, reason, wait_us; started_us, duration_us; dns_us,
// connect_us, tls_us, first_byte_us; status_code, error, error_detail; remote_address,
// response_body, response_truncated, signature_key_ids; receiver_error_code,
// response_decrypt_failed.
//
// What is usual is NULL, so that most batches have empty arrays for it: generation and number 1,
// decision "delivered", response_truncated false; wait_us is there for retries only.
PgParameters attempt_parameters(const Attempts& attempts, MonotonicTime now);

}  // namespace sealpost
