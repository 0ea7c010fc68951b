// Events, deliveries and attempts as the API writes them, and lists of anything.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/history_store.h"

namespace sealpost {

// Without the payload, for lists.
std::string event_json(const Event& event);
// With the payload (JSON as the producer wrote it, byte for byte, other bytes as base64) and the
// event's deliveries in short.
std::string event_detail_json(const Event& event, std::span<const DeliveryRecord> deliveries);

std::string delivery_json(const DeliveryRecord& delivery);
std::string delivery_detail_json(const DeliveryRecord& delivery,
                                 std::span<const AttemptRecord> attempts,
                                 const std::optional<ResponsePayload>& payload);

// {"data": […], "next_cursor": …}; `items` are JSON texts.
std::string page_json(const std::vector<std::string>& items, const std::string& next_cursor);

}  // namespace sealpost
