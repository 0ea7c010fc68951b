// Puts together the statement that lists deliveries. Only the conditions that a filter sets are in
// its text, so that the planner sees what is asked for; every value is a parameter.
#pragma once

#include <optional>
#include <string>

#include "core/history_store.h"
#include "storage/pg_parameters.h"
#include "storage/pg_rows.h"

namespace sealpost {

struct DeliveryQuery {
  std::string sql;
  PgParameters parameters;
};

// At most `limit` deliveries with ids below `cursor` (empty: all), newest first.
DeliveryQuery list_deliveries_query(const std::optional<std::string>& tenant,
                                    const DeliveryFilter& filter, const std::string& cursor,
                                    int limit);
DeliveryQuery one_delivery_query(const std::optional<std::string>& tenant, const DeliveryId& id);

// Reads a row of either.
DeliveryRecord delivery_from_row(const PgRows& rows, int row);

}  // namespace sealpost
