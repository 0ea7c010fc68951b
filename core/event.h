// An event: something that happened, with a type and a payload. Immutable.
//
// The payload is bytes. Between outbox and socket nobody parses or re-serializes it: what a
// producer wrote is what receivers see inside the envelope, byte for byte.
#pragma once

#include <string>

#include "base/clock.h"
#include "core/ids.h"

namespace sealpost {

struct Event {
  EventId id;
  std::string tenant;
  std::string type;     // dotted, for instance "invoice.paid"
  std::string payload;  // JSON text or any other bytes
  bool payload_is_json = true;
  std::string content_type;  // of the payload, "application/json" for JSON
  std::string ordering_key;  // empty: none
  WallTime created_at;
};

}  // namespace sealpost
