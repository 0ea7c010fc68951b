#include "storage/event_row.h"

namespace sealpost {

Event event_from_row(const PgRows& rows, int row, int column) {
  Event event;
  event.id = EventId(rows.text(row, column));
  event.tenant = rows.text(row, column + 1);
  event.type = rows.text(row, column + 2);
  event.payload_is_json = !rows.is_null(row, column + 3);
  event.payload = event.payload_is_json ? rows.text(row, column + 3) : rows.bytes(row, column + 4);
  event.content_type =
      rows.optional_text(row, column + 5)
          .value_or(event.payload_is_json ? "application/json" : "application/octet-stream");
  event.ordering_key = rows.optional_text(row, column + 6).value_or("");
  event.created_at = rows.time(row, column + 7);
  return event;
}

}  // namespace sealpost
