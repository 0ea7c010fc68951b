// Whether a receiver agrees to be sent to: how it is asked, and what its answer means. Pure; who
// asks is dispatcher/validator.h, where it is written down core/validation_store.h.
//
// Sources: CloudEvents "HTTP 1.1 Web Hooks for Event Delivery" 1.0.2, section 4 (cloudevents);
// Zoom's "Validate your webhook endpoint" (challenge).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/secret_text.h"
#include "core/attempt.h"
#include "core/endpoint_status.h"
#include "core/signing_profile.h"

namespace sealpost {

// How an endpoint's receiver is asked before the first delivery.
enum class ValidationKind {
  none,         // not at all
  cloudevents,  // by OPTIONS; it consents by headers, or later by a callback
  challenge,    // it must return a token with its MAC, again every 72 hours
};
std::string_view to_text(ValidationKind kind);
std::optional<ValidationKind> validation_kind_from_text(std::string_view text);

enum class ValidationState {
  none,     // nothing to ask
  unasked,  // an operator paused or disabled the endpoint; it is asked when it is enabled
  pending,  // is being asked, or is to consent by the callback; the endpoint is paused
  valid,    // consented
  refused,  // did not; the endpoint is paused until an operator has it asked again
};
std::string_view to_text(ValidationState state);
std::optional<ValidationState> validation_state_from_text(std::string_view text);

// How it stands with an endpoint's validation.
struct Validation {
  ValidationState state = ValidationState::none;
  std::string reason{};  // why it is refused, or what it waits for
  std::optional<WallTime> asked_at{};
  std::optional<int> allowed_per_minute{};  // the most that the receiver allowed; none: any
  std::string origin{};  // as whom it was asked by OPTIONS; deliveries come with the same name
};

inline constexpr std::chrono::seconds kValidFor = std::chrono::hours{72};  // a challenge
inline constexpr std::chrono::milliseconds kMaxValidationTime{10'000};     // of one request
inline constexpr std::chrono::milliseconds kMaxChallengeTime{3'000};       // as Zoom has it
// Who asked and is not heard of for so long is taken for dead; then it is asked again.
inline constexpr std::chrono::seconds kValidationHold{15};
inline constexpr int kMaxValidationReason = 300;  // bytes

// --- how status and validation go together ------------------------------------------------------
// While it is pending or refused the endpoint is paused, and consent enables it; so a pause by an
// operator makes it unasked.
struct Standing {
  EndpointStatus status = EndpointStatus::enabled;
  std::string status_reason{};
  ValidationState validation = ValidationState::none;
  bool ask = false;  // now
  bool operator==(const Standing&) const = default;
};

// Of a new endpoint.
Standing first_standing(ValidationKind kind);
// After the URL or the kind was changed.
Standing standing_after_change(const Standing& before, ValidationKind kind);
// After an operator set the status. Enabling an endpoint that is not valid has it asked again.
Standing standing_after(const Standing& before, ValidationKind kind, EndpointStatus wanted,
                        const std::string& reason);

// --- what an answer means -----------------------------------------------------------------------
struct Consent {
  std::optional<int> allowed_per_minute{};  // none: any rate
};
struct NoConsent {
  std::string reason;  // one sentence
};
// No answer, or one that says that there is none now. Asked again after kValidationDelays.
struct NoAnswer {
  std::string reason;
};
// It may still consent by the callback.
struct LaterConsent {
  std::string reason;
};
using ValidationVerdict = std::variant<Consent, NoConsent, NoAnswer, LaterConsent>;

// When to ask again after the n-th time (from 1) without an answer; nullopt: no more.
std::optional<std::chrono::seconds> next_question_after(int asked);

// What was asked by OPTIONS.
struct ConsentQuestion {
  std::string_view origin;  // a DNS name
  std::optional<int> per_minute{};
  bool callback_offered = false;
};
ValidationVerdict judge_consent(const AttemptOutcome& outcome, const ConsentQuestion& question);

// 1 to 253 letters, digits, dashes and dots, in labels of 1 to 63.
bool is_dns_name(std::string_view text);

// "*" and positive integers, as Consent has them; nullopt: anything else.
std::optional<Consent> read_allowed_rate(std::string_view value);

// The rate to ask for, per minute, so that `per_second` is allowed; nullopt without a limit.
std::optional<int> requested_rate(std::optional<double> per_second);

// --- challenge ----------------------------------------------------------------------------------
inline constexpr char kChallengeEvent[] = "endpoint.url_validation";

// The key of the MAC: the one that the profile's signatures are made with. nullopt: the profile has
// no HMAC secret, or this is none.
std::optional<SecretText> challenge_key(const SigningProfile& profile, const SecretText& secret);

// {"event":"endpoint.url_validation","payload":{"plainToken":"…"},"event_ts":milliseconds}
std::string challenge_body(std::string_view plain_token, WallTime now);

// Whether the answer has the token and its MAC by one of the keys.
ValidationVerdict judge_challenge(const AttemptOutcome& outcome, std::string_view plain_token,
                                  const std::vector<SecretText>& keys);

// What a receiver answers. nullopt: this body is no challenge.
std::optional<std::string> answer_to_challenge(std::string_view body, const SecretText& key);

}  // namespace sealpost
