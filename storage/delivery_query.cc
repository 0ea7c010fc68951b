#include "storage/delivery_query.h"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <string_view>

#include "base/ulid.h"

namespace sealpost {
namespace {

// The three places, with the same columns.
struct Place {
  std::string_view table;
  std::string_view columns;  // state, reason, next_attempt_at, finished_at
};

constexpr Place kLive{
    "deliveries",
    "CASE WHEN d.lease_epoch IS NULL THEN 'pending' ELSE 'delivering' END AS state, "
    "NULL::text AS reason, "
    "CASE WHEN d.lease_epoch IS NULL THEN d.next_attempt_at END AS next_attempt_at, "
    "NULL::timestamptz AS finished_at"};
constexpr Place kDeadLetters{
    "dead_letters",
    "'failed' AS state, d.reason, NULL::timestamptz AS next_attempt_at, d.finished_at"};
constexpr Place kHistory{
    "delivery_history",
    "d.state, NULL::text AS reason, NULL::timestamptz AS next_attempt_at, d.finished_at"};

// Tenant and type are looked up for the rows of the page only.
constexpr const char* kStatement = R"sql(
SELECT u.id, u.event_id, u.endpoint_id, e.tenant, coalesce(o.type, ''), u.state, u.reason, u.generation, u.attempts,
       u.last_status_code, (extract(epoch FROM u.next_attempt_at) * 1000000)::bigint,
       (extract(epoch FROM u.created_at) * 1000000)::bigint, (extract(epoch FROM u.finished_at) * 1000000)::bigint
FROM ({0} ORDER BY id DESC LIMIT {1}) u
JOIN sealpost.endpoints e ON e.id = u.endpoint_id
LEFT JOIN sealpost.outbox o ON o.id = u.event_id
ORDER BY u.id DESC)sql";

constexpr const char* kBranch = R"sql(
SELECT * FROM (
 SELECT d.id, d.event_id, d.endpoint_id, d.generation, d.attempts, d.last_status_code, d.created_at, {columns}
 FROM sealpost.{table} d WHERE true{conditions} ORDER BY d.id DESC LIMIT {limit}) {table})sql";

class Conditions {
 public:
  // `condition` has {} where the parameter goes.
  template <class Value>
  void add(fmt::format_string<int&> condition, const Value& value) {
    parameters_.add(value);
    int number = static_cast<int>(parameters_.size());
    text_ += " AND " + fmt::format(condition, number);
  }
  const std::string& text() const { return text_; }
  PgParameters take_parameters() { return std::move(parameters_); }

 private:
  std::string text_;
  PgParameters parameters_;
};

std::string branch(const Place& place, const std::string& conditions, int limit) {
  return fmt::format(kBranch, fmt::arg("columns", place.columns), fmt::arg("table", place.table),
                     fmt::arg("conditions", conditions), fmt::arg("limit", limit));
}

// Which tables can hold such deliveries, and what is left to ask there.
std::string branches(const std::optional<DeliveryState>& state, Conditions& conditions, int limit) {
  const std::string& common = conditions.text();
  if (!state) {
    return branch(kLive, common, limit) + " UNION ALL " + branch(kDeadLetters, common, limit) +
           " UNION ALL " + branch(kHistory, common, limit);
  }
  switch (*state) {
    case DeliveryState::pending:
      return branch(kLive, common + " AND d.lease_epoch IS NULL", limit);
    case DeliveryState::delivering:
      return branch(kLive, common + " AND d.lease_epoch IS NOT NULL", limit);
    case DeliveryState::failed:
      return branch(kDeadLetters, common, limit);
    case DeliveryState::delivered:
    case DeliveryState::skipped:
    case DeliveryState::canceled:
      break;
  }
  conditions.add("d.state = ${}", to_text(*state));
  return branch(kHistory, conditions.text(), limit);
}

void add_tenant(Conditions& conditions, const std::optional<std::string>& tenant) {
  if (!tenant) return;
  conditions.add(
      "EXISTS (SELECT FROM sealpost.endpoints e WHERE e.id = d.endpoint_id AND e.tenant = ${})",
      *tenant);
}

}  // namespace

DeliveryQuery list_deliveries_query(const std::optional<std::string>& tenant,
                                    const DeliveryFilter& filter, const std::string& cursor,
                                    int limit) {
  Conditions conditions;
  add_tenant(conditions, tenant);
  if (!cursor.empty()) conditions.add("d.id < ${}", cursor);
  if (filter.endpoint_id) conditions.add("d.endpoint_id = ${}", filter.endpoint_id->text());
  if (filter.event_id) conditions.add("d.event_id = ${}", filter.event_id->text());
  if (filter.event_type) {
    conditions.add(
        "EXISTS (SELECT FROM sealpost.outbox o WHERE o.id = d.event_id AND o.type = ${})",
        *filter.event_type);
  }
  // An id begins with its time, so a range of time is a range of ids and reads few partitions. Both
  // bounds are to the millisecond.
  if (filter.created_after) {
    conditions.add("d.id >= ${}", "dlv_" + ulid_time_text(*filter.created_after));
  }
  if (filter.created_before) {
    conditions.add("d.id < ${}", "dlv_" + ulid_time_text(*filter.created_before));
  }
  const std::string union_of_branches = branches(filter.state, conditions, limit);
  return {fmt::format(kStatement, union_of_branches, limit), conditions.take_parameters()};
}

DeliveryQuery one_delivery_query(const std::optional<std::string>& tenant, const DeliveryId& id) {
  Conditions conditions;
  add_tenant(conditions, tenant);
  conditions.add("d.id = ${}", id.text());
  const std::string union_of_branches = branches(std::nullopt, conditions, 1);
  return {fmt::format(kStatement, union_of_branches, 1), conditions.take_parameters()};
}

DeliveryRecord delivery_from_row(const PgRows& rows, int i) {
  const auto state = delivery_state_from_text(rows.view(i, 5));
  if (!state) throw std::runtime_error("delivery_history.state has an unknown value");
  DeliveryRecord record;
  record.id = DeliveryId(rows.text(i, 0));
  record.event_id = EventId(rows.text(i, 1));
  record.endpoint_id = EndpointId(rows.text(i, 2));
  record.tenant = rows.text(i, 3);
  record.event_type = rows.text(i, 4);
  record.state = *state;
  if (!rows.is_null(i, 6)) record.reason = failure_reason_from_text(rows.view(i, 6));
  record.generation = static_cast<int>(rows.number(i, 7));
  record.attempts_made = static_cast<int>(rows.number(i, 8));
  record.last_status_code = rows.optional_number(i, 9);
  record.next_attempt_at = rows.optional_time(i, 10);
  record.created_at = rows.time(i, 11);
  record.finished_at = rows.optional_time(i, 12);
  return record;
}

}  // namespace sealpost
