#include "storage/fan_out.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "storage/event_row.h"
#include "storage/pg_statements.h"

namespace sealpost {
namespace {

constexpr std::size_t kBatchIdLength = 22;  // "dlv_", ten characters of time, eight random ones

std::shared_ptr<const Event> only_id(std::string id) {
  Event event;
  event.id = EventId(std::move(id));
  return std::make_shared<const Event>(std::move(event));
}

// In the order of their ids, rows of one event follow one another and the first carries it. An
// event whose row somebody deleted by hand leaves deliveries without payload; they go to
// `without_event`, with nothing in their events but the id.
std::vector<LeasedDelivery> leased_rows(const PgRows& rows, Epoch epoch,
                                        std::vector<LeasedDelivery>& without_event) {
  std::vector<int> order(static_cast<std::size_t>(rows.size() - 1));
  std::iota(order.begin(), order.end(), 1);
  const auto id_of = [&](int row) { return rows.view(row, FanOut::kId); };
  if (!std::ranges::is_sorted(order, {}, id_of)) std::ranges::sort(order, {}, id_of);
  std::vector<LeasedDelivery> leased;
  leased.reserve(order.size());
  std::shared_ptr<DeliveryBatch> batch;
  std::shared_ptr<const Event> event;
  for (const int i : order) {
    const std::string_view batch_id = id_of(i).substr(0, kBatchIdLength);
    if (!batch || batch->id != batch_id) {
      batch = std::make_shared<DeliveryBatch>();
      batch->id = batch_id;
    }
    ++batch->open;
    if (!rows.is_null(i, FanOut::kTenant)) {
      event = std::make_shared<const Event>(event_from_row(rows, i, FanOut::kEvent));
    }
    const bool is_its = event && event->id.text() == rows.view(i, FanOut::kEvent);
    (is_its ? leased : without_event)
        .push_back({.id = DeliveryId(rows.text(i, FanOut::kId)),
                    .endpoint_id = EndpointId(rows.text(i, FanOut::kEndpoint)),
                    .event = is_its ? event : only_id(rows.text(i, FanOut::kEvent)),
                    .epoch = epoch,
                    .endpoint_version = static_cast<int>(rows.number(i, FanOut::kVersion)),
                    .batch = batch,
                    .position = rows.number(i, FanOut::kPosition)});
  }
  return leased;
}

}  // namespace

std::vector<LeasedDelivery> FanOut::read(PgTransaction& transaction, const PgRows& rows) {
  std::vector<LeasedDelivery> without_event;
  std::vector<LeasedDelivery> leased = leased_rows(rows, epoch_, without_event);
  PgArray ids;
  std::vector<const LeasedDelivery*> to_fail;
  for (const LeasedDelivery& delivery : without_event) {
    leaving_.add(delivery);
    ids.add(delivery.id.text());
    to_fail.push_back(&delivery);
  }
  give_rows(transaction, to_fail);
  fail_without_event(transaction, epoch_, ids);
  remove_emptied(transaction, leaving_);
  return leased;
}

std::vector<EndpointId> FanOut::split_ids(std::string_view list) {
  std::vector<EndpointId> ids;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    ids.emplace_back(std::string(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return ids;
}

}  // namespace sealpost
