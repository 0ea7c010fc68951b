#include "admin_api/retry_codec.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "admin_api/field_names.h"
#include "core/limits.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kAll4xx[] = "4xx";
constexpr double kMinDelaySeconds = 0.001;  // delays are whole milliseconds
constexpr double kMaxDelaySeconds = std::chrono::seconds(kMaxRetryDelay).count();
constexpr std::size_t kMaxStatusCodes = 100;

std::string preset_names() {
  std::string names;
  for (const std::string_view name : retry_preset_names()) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

std::optional<RetryPolicy> read_preset(const JsonField& field) {
  const auto name = field.text({.max = 64});
  if (!name) return std::nullopt;
  auto policy = retry_preset(*name);
  if (!policy)
    field.mistake("invalid_value", "There is no such preset; choose " + preset_names() + ".");
  return policy;
}

std::vector<Milliseconds> read_delays(const JsonField& field) {
  std::vector<Milliseconds> delays;
  const auto items = field.items(0, kMaxRetryDelays);
  if (!items) return delays;
  for (const JsonField& item : *items) {
    if (const auto seconds = item.number(kMinDelaySeconds, kMaxDelaySeconds)) {
      delays.emplace_back(std::llround(*seconds * 1000));
    }
  }
  return delays;
}

struct StatusCodes {
  std::vector<int> codes;
  bool all_4xx = false;
};

// 2xx is always a success, and 1xx never ends a request.
StatusCodes read_codes(const JsonField& field) {
  StatusCodes read;
  const auto items = field.items(0, kMaxStatusCodes);
  if (!items) return read;
  for (const JsonField& item : *items) {
    if (item.is_text()) {
      const auto word = item.text({.max = 16});
      if (word == kAll4xx) {
        read.all_4xx = true;
      } else if (word) {
        item.mistake("invalid_value", item.path() + " must be a status code or \"4xx\".");
      }
    } else if (const auto code = item.integer(300, 599)) {
      read.codes.push_back(static_cast<int>(*code));
    }
  }
  return read;
}

void check_max_attempts(const JsonField& field, const RetryPolicy& policy) {
  const auto given = field.integer(1, kMaxRetryDelays + 1);
  if (given && *given != policy.max_attempts()) {
    field.mistake("invalid_value",
                  "The number of attempts is one more than that of the delays, here " +
                      std::to_string(policy.max_attempts()) +
                      "; leave max_attempts out and change delays_seconds.");
  }
}

RetryPolicy read_own(JsonObject& object, const JsonField& field) {
  RetryPolicy policy;
  if (const auto delays = object.find(Field::delays_seconds)) {
    policy.delays = read_delays(*delays);
  } else {
    field.mistake("required", field.path() + " needs preset or delays_seconds.");
  }
  if (const auto jitter = object.find(Field::jitter)) {
    policy.jitter = jitter->number(0, 1).value_or(0);
  }
  if (const auto codes = object.find(Field::end_on)) {
    const StatusCodes read = read_codes(*codes);
    policy.end_on = read.codes;
    policy.end_on_4xx = read.all_4xx;
  }
  if (const auto codes = object.find(Field::retry_on)) {
    const StatusCodes read = read_codes(*codes);
    policy.retry_on = read.codes;
    if (read.all_4xx) {
      codes->mistake("invalid_value",
                     "4xx is retried unless end_on says otherwise; list codes here.");
    }
    for (const int code : policy.retry_on) {
      if (std::count(policy.end_on.begin(), policy.end_on.end(), code) > 0) {
        codes->mistake("invalid_value",
                       std::to_string(code) + " stands in end_on and in retry_on.");
      }
    }
  }
  if (const auto flag = object.find(Field::disable_endpoint_on_gone)) {
    policy.disable_endpoint_on_gone = flag->flag().value_or(false);
  }
  return policy;
}

}  // namespace

std::optional<RetryPolicy> read_retry(const JsonField& field) {
  JsonObject object(field);
  if (!object.valid()) return std::nullopt;
  const auto preset = object.find(Field::preset);
  std::optional<RetryPolicy> policy = preset ? read_preset(*preset) : std::nullopt;
  const auto max_attempts = object.find(Field::max_attempts);
  if (!preset) {
    policy = read_own(object, field);
  } else {
    for (const char* name : {Field::delays_seconds, Field::jitter, Field::end_on, Field::retry_on,
                             Field::disable_endpoint_on_gone}) {
      if (const auto extra = object.find(name)) {
        extra->mistake(
            "invalid_value",
            "A preset cannot be changed; send it alone, or write your own delays_seconds.");
      }
    }
  }
  if (max_attempts && policy) check_max_attempts(*max_attempts, *policy);
  object.refuse_unknown();
  return policy;
}

std::string retry_json(const RetryPolicy& policy) {
  Json json = Json::object();
  if (!policy.preset.empty()) {
    json[Field::preset] = policy.preset;
  } else {
    Json delays = Json::array();
    for (const Milliseconds delay : policy.delays) {
      if (delay.count() % 1000 == 0) {
        delays.push_back(delay.count() / 1000);
      } else {
        delays.push_back(static_cast<double>(delay.count()) / 1000);
      }
    }
    Json end_on = policy.end_on;
    if (policy.end_on_4xx) end_on.push_back(kAll4xx);
    json[Field::delays_seconds] = std::move(delays);
    json[Field::jitter] = policy.jitter;
    json[Field::end_on] = std::move(end_on);
    json[Field::retry_on] = policy.retry_on;
    json[Field::disable_endpoint_on_gone] = policy.disable_endpoint_on_gone;
  }
  json[Field::max_attempts] = policy.max_attempts();
  return json.dump();
}

}  // namespace sealpost
