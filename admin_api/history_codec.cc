#include "admin_api/history_codec.h"

#include <nlohmann/json.hpp>

#include "admin_api/field_names.h"
#include "base/bytes.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;

// Receivers write what they like into a response; broken UTF-8 must not break our answer.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json time_or_null(const std::optional<WallTime>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <class Enum>
Json word_or_null(const std::optional<Enum>& value) {
  return value ? Json(to_text(*value)) : Json(nullptr);
}

double milliseconds(std::chrono::microseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// A phase that did not happen is null: 0 would look like a very fast one.
Json phase(std::chrono::microseconds time) {
  return time.count() == 0 ? Json(nullptr) : Json(milliseconds(time));
}

Json to_json(const Event& event) {
  return {
      {Field::id, event.id.text()},
      {Field::tenant, event.tenant},
      {Field::type, event.type},
      {Field::content_type, event.content_type},
      {Field::ordering_key, text_or_null(event.ordering_key)},
      {Field::created_at, to_rfc3339(event.created_at)},
  };
}

Json to_json(const DeliveryRecord& delivery) {
  return {
      {Field::id, delivery.id.text()},
      {Field::event_id, delivery.event_id.text()},
      {Field::endpoint_id, delivery.endpoint_id.text()},
      {Field::tenant, delivery.tenant},
      {Field::type, delivery.event_type},
      {Field::state, to_text(delivery.state)},
      {Field::reason, word_or_null(delivery.reason)},
      {Field::generation, delivery.generation},
      {Field::attempt_count, delivery.attempts_made},
      {Field::last_status_code,
       delivery.last_status_code ? Json(*delivery.last_status_code) : Json(nullptr)},
      {Field::next_attempt_at, time_or_null(delivery.next_attempt_at)},
      {Field::created_at, to_rfc3339(delivery.created_at)},
      {Field::finished_at, time_or_null(delivery.finished_at)},
  };
}

// "a,b" → ["a", "b"]
Json key_ids(const std::string& joined) {
  Json ids = Json::array();
  for (std::size_t from = 0; from < joined.size();) {
    const std::size_t comma = std::min(joined.find(',', from), joined.size());
    ids.push_back(joined.substr(from, comma - from));
    from = comma + 1;
  }
  return ids;
}

Json to_json(const AttemptRecord& attempt) {
  const AttemptOutcome& outcome = attempt.outcome;
  const bool is_text = is_utf8(outcome.response_body);
  return {
      {Field::number, attempt.number},
      {Field::generation, attempt.generation},
      {Field::started_at, to_rfc3339(attempt.started_at)},
      {Field::duration_ms, milliseconds(outcome.duration)},
      {Field::phases_ms,
       {{Field::dns, phase(outcome.phases.dns)},
        {Field::connect, phase(outcome.phases.connect)},
        {Field::tls_phase, phase(outcome.phases.tls)},
        {Field::first_byte, phase(outcome.phases.first_byte)}}},
      {Field::status_code, outcome.status_code ? Json(*outcome.status_code) : Json(nullptr)},
      {Field::error, word_or_null(outcome.error)},
      {Field::error_detail, text_or_null(outcome.error_detail)},
      {Field::remote_address, text_or_null(outcome.remote_address)},
      {Field::response_body,
       is_text ? outcome.response_body : base64_encode(outcome.response_body)},
      {Field::response_body_encoding, is_text ? "utf8" : "base64"},
      {Field::response_truncated, outcome.response_truncated},
      {Field::signing_key_ids, key_ids(attempt.signature_key_ids)},
      {Field::receiver_error_code, word_or_null(outcome.receiver_error_code)},
      {Field::response_decrypt_failed, word_or_null(outcome.response_decrypt_failed)},
      {Field::orphaned, attempt.orphaned},
  };
}

// Of details only: it may be long, and it was confidential on its way.
void add_payload(const std::optional<ResponsePayload>& payload, Json& json) {
  json[Field::response_payload] = nullptr;
  json[Field::response_payload_encoding] = nullptr;
  if (!payload) return;
  if (!payload->text) {
    json[Field::response_payload_encoding] = "unreadable";
    return;
  }
  const std::string_view text = payload->text->reveal();
  const bool is_text = is_utf8(text);
  json[Field::response_payload] = is_text ? std::string(text) : base64_encode(text);
  json[Field::response_payload_encoding] = is_text ? "utf8" : "base64";
}

}  // namespace

std::string event_json(const Event& event) { return dump(to_json(event)); }

std::string event_detail_json(const Event& event, std::span<const DeliveryRecord> deliveries) {
  Json json = to_json(event);
  Json& list = json[Field::deliveries] = Json::array();
  for (const DeliveryRecord& delivery : deliveries) {
    list.push_back({{Field::id, delivery.id.text()},
                    {Field::endpoint_id, delivery.endpoint_id.text()},
                    {Field::state, to_text(delivery.state)}});
  }
  const bool as_json = event.payload_is_json && Json::accept(event.payload);
  json[Field::payload_encoding] = as_json ? "json" : "base64";
  if (!as_json) {
    json[Field::payload] = base64_encode(event.payload);
    return dump(json);
  }
  std::string text = dump(json);
  text.pop_back();
  return text + ",\"" + Field::payload + "\":" + event.payload + "}";
}

std::string delivery_json(const DeliveryRecord& delivery) { return dump(to_json(delivery)); }

std::string delivery_detail_json(const DeliveryRecord& delivery,
                                 std::span<const AttemptRecord> attempts,
                                 const std::optional<ResponsePayload>& payload) {
  Json json = to_json(delivery);
  add_payload(payload, json);
  Json& list = json[Field::attempts] = Json::array();
  for (const AttemptRecord& attempt : attempts) list.push_back(to_json(attempt));
  return dump(json);
}

std::string page_json(const std::vector<std::string>& items, const std::string& next_cursor) {
  std::string text = std::string("{\"") + Field::data + "\":[";
  for (const std::string& item : items) {
    if (&item != &items.front()) text += ',';
    text += item;
  }
  return text + "],\"" + Field::next_cursor + "\":" + text_or_null(next_cursor).dump() + "}";
}

}  // namespace sealpost
