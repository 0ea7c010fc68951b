// Endpoints, events and leased deliveries for tests that do not care about their details.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/delivery.h"
#include "core/endpoint.h"
#include "core/retry_policy.h"
#include "dispatcher/endpoint_cache.h"

namespace sealpost {

inline Endpoint sample_endpoint(const std::string& id, int max_in_flight = 100) {
  Endpoint endpoint;
  endpoint.id = EndpointId(id);
  // Any fixed function of the id will do; the schema has its own.
  endpoint.bucket = static_cast<std::int16_t>(std::hash<EndpointId>{}(endpoint.id) % 256);
  endpoint.tenant = "acme";
  endpoint.settings.url = "https://" + id + ".example/hook";
  endpoint.settings.enabled_events = {"*"};
  endpoint.settings.signing_profile = "none";
  endpoint.settings.max_in_flight = max_in_flight;
  endpoint.settings.retry.delays = {Milliseconds{1'000}, Milliseconds{2'000}};
  return endpoint;
}

inline ReadyEndpointPtr ready_endpoint(const std::string& id,
                                       const std::function<void(EndpointSettings&)>& change) {
  Endpoint endpoint = sample_endpoint(id);
  change(endpoint.settings);
  auto ready = std::make_shared<ReadyEndpoint>();
  ready->prepared = prepare(std::move(endpoint));
  ready->load = std::make_shared<EndpointLoad>();
  return ready;
}

inline ReadyEndpointPtr ready_endpoint(const std::string& id, int max_in_flight = 100) {
  return ready_endpoint(id, [&](EndpointSettings& s) { s.max_in_flight = max_in_flight; });
}

inline Event sample_event(const std::string& id) {
  Event event;
  event.id = EventId(id);
  event.tenant = "acme";
  event.type = "invoice.paid";
  event.payload = R"({"amount": 50000})";
  event.content_type = "application/json";
  return event;
}

inline LeasedDelivery leased_delivery(const std::string& id, const std::string& endpoint,
                                      Epoch epoch = 1) {
  LeasedDelivery delivery;
  delivery.id = DeliveryId(id);
  delivery.endpoint_id = EndpointId(endpoint);
  delivery.event = std::make_shared<const Event>(sample_event("evt_" + id));
  delivery.epoch = epoch;
  delivery.endpoint_version = 1;
  return delivery;
}

}  // namespace sealpost
