#include "core/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/header_rules.h"
#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<EndpointStatus> kStatuses[] = {
    {EndpointStatus::enabled, "enabled"},
    {EndpointStatus::paused, "paused"},
    {EndpointStatus::disabled, "disabled"},
    {EndpointStatus::deleted, "deleted"},
};

constexpr Word<Ordering> kOrderings[] = {
    {Ordering::none, "none"},
    {Ordering::fifo, "fifo"},
};

constexpr Word<OnDeadLetter> kDeadLetterRules[] = {
    {OnDeadLetter::stop, "stop"},
    {OnDeadLetter::go_on, "continue"},
};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Words of letters, digits and "_" joined by single dots: what the outbox table accepts as a type.
bool is_event_type(std::string_view text) {
  bool in_word = false;
  for (const char c : text) {
    if (is_word_character(c)) {
      in_word = true;
    } else if (c == '.' && in_word) {
      in_word = false;
    } else {
      return false;
    }
  }
  return in_word;
}

// Events about the sender itself.
bool is_reserved(std::string_view event_type) {
  return event_type == "webhook" || event_type.starts_with("webhook.");
}

}  // namespace

std::string_view to_text(Ordering ordering) { return text_of(kOrderings, ordering); }

std::optional<Ordering> ordering_from_text(std::string_view text) {
  return value_of(kOrderings, text);
}

std::string_view to_text(OnDeadLetter rule) { return text_of(kDeadLetterRules, rule); }

std::optional<OnDeadLetter> on_dead_letter_from_text(std::string_view text) {
  return value_of(kDeadLetterRules, text);
}

std::string_view to_text(EndpointStatus status) { return text_of(kStatuses, status); }

std::optional<EndpointStatus> endpoint_status_from_text(std::string_view text) {
  return value_of(kStatuses, text);
}

bool is_tenant_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTenantLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_.:@-").find(c) != std::string_view::npos;
         });
}

std::optional<double> Endpoint::rate_per_second() const {
  const auto& own = settings.rate_limit_per_second;
  if (!validation.allowed_per_minute) return own;
  const double allowed = *validation.allowed_per_minute / 60.0;
  return own ? std::min(*own, allowed) : allowed;
}

SigningProfile signing_profile_of(const EndpointSettings& settings) {
  auto profile =
      settings.custom_signing ? settings.custom_signing : signing_preset(settings.signing_profile);
  if (profile) {
    profile->next_header = settings.next_header;
    return *std::move(profile);
  }
  throw std::invalid_argument(
      fmt::format("signing profile: there is none of that name; use one of {}",
                  fmt::join(signing_preset_names(), ", ")));
}

bool matches_event_type(std::string_view pattern, std::string_view event_type) {
  if (pattern == event_type) return true;
  if (is_reserved(event_type)) return false;
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return false;
  const std::string_view prefix = pattern.substr(0, pattern.size() - 1);  // with the dot
  return event_type.size() > prefix.size() && event_type.starts_with(prefix);
}

std::optional<std::string> event_pattern_error(std::string_view pattern) {
  if (pattern == "*") return std::nullopt;
  if (pattern.size() > kMaxEventTypeLength) {
    return fmt::format(
        "an event type has at most {} characters; shorten it or use a pattern like invoice.*",
        kMaxEventTypeLength);
  }
  const bool is_wildcard = pattern.ends_with(".*");
  const std::string_view name = is_wildcard ? pattern.substr(0, pattern.size() - 2) : pattern;
  if (!is_event_type(name)) {
    return "must be * or words of letters, digits and _ joined by dots, the last of which may be "
           "*; "
           "for instance invoice.paid or invoice.*";
  }
  if (is_wildcard && is_reserved(name)) {
    return "events about the sender itself must be named exactly; for instance "
           "webhook.delivery.failed";
  }
  return std::nullopt;
}

std::optional<std::string> header_error(std::string_view name, std::string_view value) {
  if (!is_header_name(name)) {
    return "a header's name must be 1 to 256 letters, digits or any of !#$%&'*+-.^_`|~";
  }
  const bool is_ours = is_transport_header(name) || same_header_name(name, "Content-Type") ||
                       same_header_name(name, "Idempotency-Key") ||
                       same_header_name(name.substr(0, 8), "webhook-") ||
                       same_header_name(name.substr(0, 3), "ce-") ||
                       same_header_name(name.substr(0, 11), "X-RoboFlux-");
  if (is_ours) {
    return fmt::format("the header {} is written by the sender; choose another name", name);
  }
  if (!is_header_value(value)) {
    return fmt::format(
        "the value of the header {} must be 1 to {} visible ASCII characters, spaces or tabs (no "
        "line "
        "break), and must not begin or end with a space",
        name, kMaxHeaderValueLength);
  }
  return std::nullopt;
}

}  // namespace sealpost
