#include "storage/endpoint_codec.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/signing_profile_json.h"

namespace sealpost {
namespace {

using nlohmann::json;

// nlohmann's own messages quote the text, which may be secret.
json parse(std::string_view column, std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    throw std::runtime_error("endpoints." + std::string(column) + " is not JSON");
  }
  return value;
}

template <class Read>
auto read(std::string_view column, Read&& member) {
  try {
    return member();
  } catch (const json::exception&) {
    throw std::runtime_error("endpoints." + std::string(column) + " has an unexpected form");
  }
}

}  // namespace

std::string retry_to_json(const RetryPolicy& policy) {
  if (!policy.preset.empty()) return json{{"preset", policy.preset}}.dump();
  std::vector<std::int64_t> delays;
  for (const Milliseconds delay : policy.delays) delays.push_back(delay.count());
  return json{
      {"delays_ms", delays},         {"jitter", policy.jitter},
      {"end_on", policy.end_on},     {"end_on_4xx", policy.end_on_4xx},
      {"retry_on", policy.retry_on}, {"disable_endpoint_on_gone", policy.disable_endpoint_on_gone}}
      .dump();
}

RetryPolicy retry_from_json(std::string_view text) {
  const json value = parse("retry", text);
  return read("retry", [&] {
    if (value.contains("preset")) {
      auto preset = retry_preset(value.at("preset").get<std::string>());
      if (!preset) throw std::runtime_error("endpoints.retry names an unknown preset");
      return *std::move(preset);
    }
    RetryPolicy policy;
    for (const auto& delay : value.at("delays_ms"))
      policy.delays.emplace_back(delay.get<std::int64_t>());
    policy.jitter = value.at("jitter").get<double>();
    policy.end_on = value.at("end_on").get<std::vector<int>>();
    policy.end_on_4xx = value.at("end_on_4xx").get<bool>();
    policy.retry_on = value.at("retry_on").get<std::vector<int>>();
    policy.disable_endpoint_on_gone = value.at("disable_endpoint_on_gone").get<bool>();
    return policy;
  });
}

std::string signing_to_json(const EndpointSettings& settings) {
  json signing;
  if (settings.custom_signing) {
    signing["custom"] = json::parse(signing_profile_json(*settings.custom_signing));
  } else {
    signing["profile"] = settings.signing_profile;
  }
  if (settings.next_header) signing["next_header"] = true;
  return signing.dump();
}

void read_signing(std::string_view text, EndpointSettings& settings) {
  const json value = parse("signing", text);
  read("signing", [&] {
    if (value.contains("custom")) {
      settings.signing_profile = kCustomProfile;
      settings.custom_signing = signing_profile_from_json(value.at("custom").dump());
    } else {
      settings.signing_profile = value.at("profile").get<std::string>();
    }
    settings.next_header = value.value("next_header", false);
  });
}

std::string metadata_to_json(const std::map<std::string, std::string>& metadata) {
  return json(metadata).dump();
}

std::map<std::string, std::string> metadata_from_json(std::string_view text) {
  const json value = parse("metadata", text);
  return read("metadata", [&] { return value.get<std::map<std::string, std::string>>(); });
}

SecretText headers_to_json(const std::map<std::string, SecretText>& headers) {
  json value = json::object();
  for (const auto& [name, secret] : headers) value[name] = std::string(secret.reveal());
  return SecretText(value.dump());
}

std::map<std::string, SecretText> headers_from_json(const SecretText& text) {
  const json value = parse("headers", text.reveal());
  return read("headers", [&] {
    std::map<std::string, SecretText> headers;
    for (const auto& [name, secret] : value.items()) {
      headers.emplace(name, SecretText(secret.get<std::string>()));
    }
    return headers;
  });
}

std::vector<std::string> strings_from_json(std::string_view text) {
  const json value = parse("enabled_events", text);
  return read("enabled_events", [&] { return value.get<std::vector<std::string>>(); });
}

}  // namespace sealpost
