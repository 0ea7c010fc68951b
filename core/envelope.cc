#include "core/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/check.h"
#include "core/cloudevents.h"
#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<Envelope> kEnvelopes[] = {
    {Envelope::standard, "standard"},       {Envelope::itpay, "itpay"},
    {Envelope::pandora, "pandora"},         {Envelope::raw, "raw"},
    {Envelope::cloudevents, "cloudevents"}, {Envelope::cloudevents_binary, "cloudevents-binary"},
};

// The envelopes' own text around id, type and payload is shorter than this.
constexpr size_t kFrameBytes = 96;

// Ids and types are letters, digits, "_" and "." by the outbox table's constraints, so escaping
// would be dead code on the hot path. That it would be needed after all is a bug, and stops us.
void append_json_string(std::string_view text, std::string& out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  CHECK(plain, "an event's id or type would need JSON escaping");
  out += '"';
  out += text;
  out += '"';
}

// RFC 3339 in UTC with milliseconds.
void append_timestamp(WallTime time, std::string& out) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(ms);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{ms - day};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

void append_unix_seconds(WallTime time, std::string& out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  fmt::format_to(std::back_inserter(out), "{}", seconds);
}

void append_standard(const Event& event, std::string& out) {
  out += R"({"type":)";
  append_json_string(event.type, out);
  out += R"(,"timestamp":")";
  append_timestamp(event.created_at, out);
  out += R"(","data":)";
  out += event.payload;
  out += '}';
}

void append_itpay(const Event& event, std::string& out) {
  out += R"({"id":)";
  append_json_string(event.id.text(), out);
  out += R"(,"type":)";
  append_json_string(event.type, out);
  out += R"(,"data":{"object":)";
  out += event.payload;
  out += R"(},"created":)";
  append_unix_seconds(event.created_at, out);
  out += '}';
}

void append_pandora(const Event& event, std::string& out) {
  out += R"({"id":)";
  append_json_string(event.id.text(), out);
  out += R"(,"type":)";
  append_json_string(event.type, out);
  out += R"(,"version":"v1","timestamp":)";
  append_unix_seconds(event.created_at, out);
  out += R"(,"data":)";
  out += event.payload;
  out += '}';
}

}  // namespace

std::string_view to_text(Envelope envelope) { return text_of(kEnvelopes, envelope); }

std::optional<Envelope> envelope_from_text(std::string_view text) {
  return value_of(kEnvelopes, text);
}

std::optional<Body> build_body(Envelope envelope, const Event& event) {
  if (envelope == Envelope::raw) return Body{event.payload, event.content_type};
  if (envelope == Envelope::cloudevents) return Body{cloudevents_json(event), kCloudEventsType};
  if (envelope == Envelope::cloudevents_binary) {
    return Body{event.payload, event.content_type, cloudevents_headers(event)};
  }
  if (!event.payload_is_json) return std::nullopt;

  Body body{.bytes = {}, .content_type = "application/json"};
  body.bytes.reserve(kFrameBytes + event.id.text().size() + event.type.size() +
                     event.payload.size());
  switch (envelope) {
    case Envelope::standard:
      append_standard(event, body.bytes);
      break;
    case Envelope::itpay:
      append_itpay(event, body.bytes);
      break;
    case Envelope::pandora:
      append_pandora(event, body.bytes);
      break;
    case Envelope::raw:
    case Envelope::cloudevents:
    case Envelope::cloudevents_binary:
      break;  // returned above
  }
  return body;
}

}  // namespace sealpost
