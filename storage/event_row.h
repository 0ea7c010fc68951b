// Reads an event out of a row. The statement selects these columns one after the other:
//   id, tenant, type, payload::text, payload_bytes, content_type, ordering_key, created_at in
//   microseconds
#pragma once

#include "core/event.h"
#include "storage/pg_rows.h"

namespace sealpost {

inline constexpr int kEventColumns = 8;

// `column` is that of the id.
Event event_from_row(const PgRows& rows, int row, int column);

}  // namespace sealpost
