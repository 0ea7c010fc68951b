#include "storage/validation_rows.h"

#include <fmt/format.h>

#include <stdexcept>

namespace sealpost {
namespace {

constexpr const char* kWrite = R"sql(
UPDATE sealpost.endpoints SET status = $2, status_reason = $3, validation = $4, validation_state = $5,
  validation_due_at = CASE WHEN $5 = 'valid' THEN validation_due_at WHEN $6::int = 1 THEN clock_timestamp() END,
  validation_asked_at = CASE WHEN $5 = 'valid' THEN validation_asked_at END,
  validation_origin = CASE WHEN $5 = 'valid' THEN validation_origin ELSE '' END,
  validation_allowed_rate = CASE WHEN $5 = 'valid' THEN validation_allowed_rate END,
  validation_reason = '', validation_callback = NULL, validation_asks = 0,
  version = version + 1, updated_at = clock_timestamp()
WHERE id = $1)sql";

template <class Value>
Value known(std::optional<Value> value, const char* column) {
  if (!value) throw std::runtime_error(fmt::format("endpoints.{} has an unknown value", column));
  return *value;
}

ValidationState state_at(const PgRows& rows, int row, int column) {
  return known(validation_state_from_text(rows.view(row, column)), "validation_state");
}

ValidationKind kind_at(const PgRows& rows, int row, int column) {
  return known(validation_kind_from_text(rows.view(row, column)), "validation");
}

}  // namespace

void read_validation(const PgRows& rows, int row, int first, Endpoint& endpoint) {
  endpoint.settings.validation = kind_at(rows, row, first);
  endpoint.validation = {.state = state_at(rows, row, first + 1),
                         .reason = rows.text(row, first + 2),
                         .asked_at = rows.optional_time(row, first + 3),
                         .allowed_per_minute = rows.optional_number(row, first + 4),
                         .origin = rows.text(row, first + 5)};
}

Standing read_standing(const PgRows& rows, int row, int first) {
  return {.status = known(endpoint_status_from_text(rows.view(row, first)), "status"),
          .status_reason = rows.text(row, first + 1),
          .validation = state_at(rows, row, first + 2)};
}

ValidationKind read_validation_kind(const PgRows& rows, int row, int first) {
  return kind_at(rows, row, first + 3);
}

void write_standing(PgTransaction& transaction, const EndpointId& id, ValidationKind kind,
                    const Standing& standing) {
  transaction.run_once(kWrite, PgParameters()
                                   .add(id.text())
                                   .add(to_text(standing.status))
                                   .add(standing.status_reason)
                                   .add(to_text(kind))
                                   .add(to_text(standing.validation))
                                   .add(int{standing.ask}));
}

}  // namespace sealpost
