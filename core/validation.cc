#include "core/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "core/header_rules.h"
#include "core/signing_secret.h"
#include "core/validation_store.h"
#include "core/words.h"

namespace sealpost {
namespace {

using Json = nlohmann::json;

constexpr Word<ValidationKind> kKinds[] = {
    {ValidationKind::none, "none"},
    {ValidationKind::cloudevents, "cloudevents"},
    {ValidationKind::challenge, "challenge"},
};

constexpr Word<ValidationState> kStates[] = {
    {ValidationState::none, "none"},       {ValidationState::unasked, "unasked"},
    {ValidationState::pending, "pending"}, {ValidationState::valid, "valid"},
    {ValidationState::refused, "refused"},
};

constexpr char kWaiting[] = "waits for the receiver's consent; see validation";
constexpr char kAllowedOrigin[] = "WebHook-Allowed-Origin";
constexpr char kAllowedRate[] = "WebHook-Allowed-Rate";

bool held_by_validation(const Standing& standing) {
  return standing.validation == ValidationState::pending ||
         standing.validation == ValidationState::refused;
}

bool same_but_for_case(std::string_view a, std::string_view b) { return same_header_name(a, b); }

// The header's only value; nullopt if it is not there. Two of them contradict each other, and make
// a value that means nothing.
std::optional<std::string> value_of_header(const AttemptOutcome& outcome, std::string_view name) {
  std::optional<std::string> found;
  for (const Header& header : outcome.consent_headers) {
    if (!same_header_name(header.name, name)) continue;
    found = found ? *found + ", " + header.value : header.value;
  }
  return found;
}

bool is_unavailable(int status) { return status >= 500 || status == 429; }

// Without a status nobody answered.
std::optional<NoAnswer> no_answer(const AttemptOutcome& outcome) {
  if (outcome.status_code) return std::nullopt;
  const std::string_view why = to_text(outcome.error.value_or(AttemptError::internal));
  return NoAnswer{fmt::format("The receiver did not answer: {}.", why)};
}

NoConsent not_allowed(std::string_view what) {
  return {fmt::format("The receiver's answer {}.", what)};
}

std::string mac_of(const SecretText& key, std::string_view token) {
  std::string mac;
  HmacKey(HmacAlgorithm::sha256, key.reveal()).sign(std::array{token}, mac);
  return hex_encode(mac);
}

std::string text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string_view to_text(ValidationKind kind) { return text_of(kKinds, kind); }
std::optional<ValidationKind> validation_kind_from_text(std::string_view text) {
  return value_of(kKinds, text);
}
std::string_view to_text(ValidationState state) { return text_of(kStates, state); }
std::optional<ValidationState> validation_state_from_text(std::string_view text) {
  return value_of(kStates, text);
}

Standing first_standing(ValidationKind kind) { return standing_after_change(Standing{}, kind); }

Standing standing_after_change(const Standing& before, ValidationKind kind) {
  const bool wants_deliveries =
      before.status == EndpointStatus::enabled || held_by_validation(before);
  if (kind == ValidationKind::none) {
    if (held_by_validation(before)) return {.status = EndpointStatus::enabled};
    return {.status = before.status, .status_reason = before.status_reason};
  }
  if (wants_deliveries) {
    return {EndpointStatus::paused, kWaiting, ValidationState::pending, true};
  }
  return {before.status, before.status_reason, ValidationState::unasked};
}

Standing standing_after(const Standing& before, ValidationKind kind, EndpointStatus wanted,
                        const std::string& reason) {
  if (wanted == EndpointStatus::enabled) {
    const bool asks = kind != ValidationKind::none && before.validation != ValidationState::valid;
    if (asks) return {EndpointStatus::paused, kWaiting, ValidationState::pending, true};
    return {wanted, reason, before.validation};
  }
  return {wanted, reason,
          held_by_validation(before) ? ValidationState::unasked : before.validation};
}

std::optional<std::chrono::seconds> next_question_after(int asked) {
  constexpr std::chrono::seconds kDelays[] = {std::chrono::seconds{10}, std::chrono::seconds{60},
                                              std::chrono::seconds{600}};
  if (asked < 1 || asked > static_cast<int>(std::size(kDelays))) return std::nullopt;
  return kDelays[asked - 1];
}

ValidationVerdict final_verdict(const DueValidation& due, const ValidationVerdict& verdict) {
  const auto* const silence = std::get_if<NoAnswer>(&verdict);
  if (silence == nullptr || next_question_after(due.asked)) return verdict;
  return NoConsent{fmt::format("{} It was asked {} times.", silence->reason, due.asked)};
}

bool is_dns_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (is_letter || (c >= '0' && c <= '9') || c == '-') {
      if (++label > 63) return false;
    } else {
      return false;
    }
  }
  return label > 0;
}

std::optional<Consent> read_allowed_rate(std::string_view value) {
  if (value == "*") return Consent{};
  int rate = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rate);
  if (error != std::errc{} || end != value.data() + value.size() || rate < 1) return std::nullopt;
  return Consent{rate};
}

std::optional<int> requested_rate(std::optional<double> per_second) {
  if (!per_second) return std::nullopt;
  return std::max(1, static_cast<int>(std::ceil(*per_second * 60)));
}

ValidationVerdict judge_consent(const AttemptOutcome& outcome, const ConsentQuestion& question) {
  const auto origin = value_of_header(outcome, kAllowedOrigin);
  if (!origin) {
    auto silence = no_answer(outcome);
    if (silence) return *std::move(silence);
    if (question.callback_offered) {
      return LaterConsent{"The receiver has not consented yet; it may do so by the callback."};
    }
    if (is_unavailable(*outcome.status_code)) {
      return NoAnswer{
          fmt::format("The receiver answered {} and no consent.", *outcome.status_code)};
    }
    return not_allowed("has no header WebHook-Allowed-Origin");
  }
  if (*origin != "*" && !same_but_for_case(*origin, question.origin)) {
    return not_allowed("allows another WebHook-Allowed-Origin than ours");
  }
  const auto rate = value_of_header(outcome, kAllowedRate);
  if (!rate && !question.per_minute) return Consent{};
  if (!rate) return not_allowed("has no header WebHook-Allowed-Rate, which was asked for");
  if (const auto consent = read_allowed_rate(*rate)) return *consent;
  return not_allowed("has a WebHook-Allowed-Rate that is neither * nor a positive integer");
}

std::optional<SecretText> challenge_key(const SigningProfile& profile, const SecretText& secret) {
  if (!is_hmac(profile.algorithm)) return std::nullopt;
  if (profile.ed25519_item.empty()) return decode_secret(secret, profile.secret_decoding);
  return decode_secret(split_secret(secret).hmac, profile.secret_decoding);
}

std::string challenge_body(std::string_view plain_token, WallTime now) {
  const auto since_1970 =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  return nlohmann::ordered_json{{"event", kChallengeEvent},
                                {"payload", {{"plainToken", plain_token}}},
                                {"event_ts", since_1970.count()}}
      .dump();
}

ValidationVerdict judge_challenge(const AttemptOutcome& outcome, std::string_view plain_token,
                                  const std::vector<SecretText>& keys) {
  if (auto silence = no_answer(outcome)) return *std::move(silence);
  const int status = *outcome.status_code;
  if (is_unavailable(status)) return NoAnswer{fmt::format("The receiver answered {}.", status)};
  if (status != 200) return NoConsent{fmt::format("The receiver answered {} and not 200.", status)};
  if (outcome.response_truncated) return not_allowed("is too long, or did not come in time");
  const Json body = Json::parse(outcome.response_body, nullptr, false);
  if (!body.is_object()) return not_allowed("is no JSON object");
  if (!equal_constant_time(text_member(body, "plainToken"), plain_token)) {
    return not_allowed("does not have the plainToken that was sent");
  }
  const std::string given = text_member(body, "encryptedToken");
  bool matches = false;
  for (const SecretText& key : keys) {
    matches |= equal_constant_time(given, mac_of(key, plain_token));
  }
  if (matches) return Consent{};
  return not_allowed("has another encryptedToken than the HMAC-SHA256 of plainToken, in hex");
}

std::optional<std::string> answer_to_challenge(std::string_view body, const SecretText& key) {
  const Json question = Json::parse(body, nullptr, false);
  if (!question.is_object() || text_member(question, "event") != kChallengeEvent) return {};
  const auto payload = question.find("payload");
  if (payload == question.end() || !payload->is_object()) return {};
  const std::string token = text_member(*payload, "plainToken");
  return Json{{"plainToken", token}, {"encryptedToken", mac_of(key, token)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sealpost
