// CloudEvents 1.0 over HTTP: the attributes of an event, as JSON around the payload (structured
// mode) or as ce- headers beside it (binary mode).
//
//   id             the event's id
//   source         /tenants/ and the tenant
//   type, time     of the event
//   partitionkey   the ordering key, if there is one (an official extension)
//
// Source: CloudEvents 1.0.2 with its JSON format, HTTP protocol binding and partitioning extension.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/header_rules.h"

namespace sealpost {

inline constexpr char kCloudEventsType[] = "application/cloudevents+json; charset=utf-8";

// Structured mode: a JSON payload stands in `data` as it is, any other as base64 in `data_base64`.
std::string cloudevents_json(const Event& event);

// Binary mode: all attributes except datacontenttype, which is the Content-Type.
std::vector<Header> cloudevents_headers(const Event& event);

// A header's value as the HTTP binding wants it: space, ", % and all bytes outside of visible ASCII
// as % and two upper-case hexadecimal digits.
std::string cloudevents_header_value(std::string_view text);

}  // namespace sealpost
