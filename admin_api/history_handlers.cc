#include "admin_api/history_handlers.h"

#include "admin_api/action_bodies.h"
#include "admin_api/history_codec.h"
#include "admin_api/json_answer.h"
#include "admin_api/list_query.h"
#include "admin_api/problem.h"
#include "base/ulid.h"

namespace sealpost {
namespace {

constexpr char kEventPrefix[] = "evt_";
constexpr char kDeliveryPrefix[] = "dlv_";
// Shown with their event; the list of deliveries has all of them.
constexpr int kDeliveriesOfEvent = 100;

DeliveryRecord find_delivery(CallContext& context, std::string_view what) {
  if (is_prefixed_ulid(context.id, kDeliveryPrefix)) {
    auto delivery = context.stores.history().delivery(context.token.tenant, DeliveryId(context.id));
    if (delivery) return std::move(*delivery);
  }
  throw not_found(what);
}

DeliveryRecord find_dead_letter(CallContext& context) {
  DeliveryRecord delivery = find_delivery(context, "dead letter");
  if (delivery.state != DeliveryState::failed) throw not_found("dead letter");
  return delivery;
}

ApiAnswer detail_answer(CallContext& context, const DeliveryRecord& delivery) {
  HistoryStore& history = context.stores.history();
  const auto attempts = history.attempts(delivery.id);
  std::optional<ResponsePayload> payload;
  if (delivery.state == DeliveryState::delivered) {
    payload = history.response_payload(context.token.tenant, delivery.id);
  }
  return json_answer(200, delivery_detail_json(delivery, attempts, payload));
}

ApiAnswer delivery_list(CallContext& context, const DeliveryListQuery& query) {
  const auto page =
      context.stores.history().deliveries(context.token.tenant, query.filter, query.page);
  std::vector<std::string> items;
  for (const DeliveryRecord& delivery : page.items) items.push_back(delivery_json(delivery));
  return json_answer(200, page_json(items, page.next_cursor));
}

}  // namespace

ApiAnswer list_events(CallContext& context) {
  const PageRequest request = read_page_query(context.call, kEventPrefix);
  const Page<Event> page = context.stores.history().events(context.token.tenant, request);
  std::vector<std::string> items;
  for (const Event& event : page.items) items.push_back(event_json(event));
  return json_answer(200, page_json(items, page.next_cursor));
}

ApiAnswer get_event(CallContext& context) {
  require_no_query(context.call);
  if (!is_prefixed_ulid(context.id, kEventPrefix)) throw not_found("event");
  const EventId id(context.id);
  const auto event = context.stores.history().event(context.token.tenant, id);
  if (!event) throw not_found("event");
  DeliveryFilter filter;
  filter.event_id = id;
  const auto page = context.stores.history().deliveries(
      context.token.tenant, filter, {.limit = kDeliveriesOfEvent, .cursor = {}});
  return json_answer(200, event_detail_json(*event, page.items));
}

ApiAnswer list_deliveries(CallContext& context) {
  return delivery_list(context, read_delivery_query(context.call));
}

ApiAnswer get_delivery(CallContext& context) {
  require_no_query(context.call);
  return detail_answer(context, find_delivery(context, "delivery"));
}

ApiAnswer list_dead_letters(CallContext& context) {
  return delivery_list(context, read_delivery_query(context.call, DeliveryState::failed));
}

ApiAnswer get_dead_letter(CallContext& context) {
  require_no_query(context.call);
  return detail_answer(context, find_dead_letter(context));
}

ApiAnswer replay_dead_letter(CallContext& context) {
  require_no_query(context.call);
  require_no_fields(json_body(context.call, BodyNeed::optional));
  const DeliveryRecord dead_letter = find_dead_letter(context);
  switch (context.stores.history().replay(context.token.tenant, dead_letter.id)) {
    case ReplayResult::replayed:
      return json_answer(202, delivery_json(find_delivery(context, "delivery")));
    case ReplayResult::not_found:
      throw not_found("dead letter");
    case ReplayResult::endpoint_disabled:
      throw Problem(409, "webhook_endpoint_disabled",
                    "The delivery's endpoint is disabled; enable it first.");
    case ReplayResult::endpoint_deleted:
      throw Problem(
          409, "webhook_delivery_failed",
          "The delivery's endpoint was deleted, so the delivery has failed for good; delete "
          "the dead letter.");
  }
  throw std::logic_error("a ReplayResult that does not exist");
}

ApiAnswer delete_dead_letter(CallContext& context) {
  require_no_query(context.call);
  const DeliveryRecord dead_letter = find_dead_letter(context);
  if (!context.stores.history().discard_dead_letter(context.token.tenant, dead_letter.id)) {
    throw not_found("dead letter");
  }
  return {.status = 204};
}

}  // namespace sealpost
