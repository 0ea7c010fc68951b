#include "core/cloudevents.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace sealpost {
namespace {

constexpr char kSpecVersion[] = "1.0";

std::string source_of(const Event& event) { return "/tenants/" + event.tenant; }

// PostgreSQL gives UTF-8 only, so nothing is ever replaced.
void append_member(std::string_view name, std::string_view value, std::string& out) {
  out += fmt::format(R"("{}":)", name);
  out += nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  out += ',';
}

}  // namespace

std::string cloudevents_json(const Event& event) {
  std::string out;
  out.reserve(event.payload.size() * (event.payload_is_json ? 1 : 4) /
                  (event.payload_is_json ? 1 : 3) +
              400);
  out += '{';
  append_member("specversion", kSpecVersion, out);
  append_member("id", event.id.text(), out);
  append_member("source", source_of(event), out);
  append_member("type", event.type, out);
  append_member("time", to_rfc3339(event.created_at), out);
  if (!event.ordering_key.empty()) append_member("partitionkey", event.ordering_key, out);
  append_member("datacontenttype", event.content_type, out);
  if (event.payload_is_json) {
    out += R"("data":)";
    out += event.payload;
  } else {
    out += R"("data_base64":")";
    out += base64_encode(event.payload);
    out += '"';
  }
  out += '}';
  return out;
}

std::vector<Header> cloudevents_headers(const Event& event) {
  std::vector<Header> headers = {
      {"ce-specversion", kSpecVersion},
      {"ce-id", event.id.text()},
      {"ce-source", cloudevents_header_value(source_of(event))},
      {"ce-type", event.type},
      {"ce-time", to_rfc3339(event.created_at)},
  };
  if (!event.ordering_key.empty()) {
    headers.push_back({"ce-partitionkey", cloudevents_header_value(event.ordering_key)});
  }
  return headers;
}

std::string cloudevents_header_value(std::string_view text) {
  std::string value;
  for (const char c : text) {
    const bool plain = c > 0x20 && c < 0x7f && c != '"' && c != '%';
    if (plain) {
      value += c;
    } else {
      fmt::format_to(std::back_inserter(value), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return value;
}

}  // namespace sealpost
