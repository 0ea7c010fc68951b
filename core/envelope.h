// Envelopes: how the body is built around the payload. The payload's bytes are copied in unchanged.
//
//   standard  {"type":T,"timestamp":"2026-05-27T09:00:00.000Z","data":PAYLOAD}   (Standard
//   Webhooks) itpay     {"id":I,"type":T,"data":{"object":PAYLOAD},"created":1716792600}   (the
//   ItPay document) pandora {"id":I,"type":T,"version":"v1","timestamp":1716792600,"data":PAYLOAD}
//   raw       PAYLOAD, with the event's own content type
//   cloudevents         {"specversion":"1.0",…,"data":PAYLOAD}   (core/cloudevents.h)
//   cloudevents-binary  PAYLOAD, with the event's own content type and ce-… headers
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/header_rules.h"

namespace sealpost {

enum class Envelope { standard, itpay, pandora, raw, cloudevents, cloudevents_binary };

std::string_view to_text(Envelope envelope);
std::optional<Envelope> envelope_from_text(std::string_view text);

struct Body {
  std::string bytes;
  std::string content_type;
  std::vector<Header> headers{};  // besides Content-Type
};

// nullopt if the envelope holds JSON only and the event's payload is none.
std::optional<Body> build_body(Envelope envelope, const Event& event);

}  // namespace sealpost
