// An endpoint: a receiver's URL with its secrets, event types, limits and status.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret_text.h"
#include "core/encryption.h"
#include "core/endpoint_status.h"
#include "core/envelope.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/retry_policy.h"
#include "core/signing_profile.h"
#include "core/validation.h"

namespace sealpost {

enum class Ordering {
  none,
  fifo,  // per ordering key of the events, in commit order: each waits until the one before is
         // settled
};
std::string_view to_text(Ordering ordering);
std::optional<Ordering> ordering_from_text(std::string_view text);

// What a dead letter means for those behind it in the order.
enum class OnDeadLetter {
  stop,   // they wait until it is replayed or removed
  go_on,  // "continue": they go on without it
};
std::string_view to_text(OnDeadLetter rule);
std::optional<OnDeadLetter> on_dead_letter_from_text(std::string_view text);

// What an operator decides about an endpoint.
struct EndpointSettings {
  std::string url;
  std::string description;
  std::vector<std::string> enabled_events;         // "invoice.paid", "invoice.*", "*"
  std::string signing_profile = "standard";        // a preset's name, or kCustomProfile
  std::optional<SigningProfile> custom_signing{};  // for kCustomProfile
  bool next_header = false;                        // as SigningProfile has it, for either
  Envelope envelope = Envelope::standard;
  EncryptionSettings encryption;
  // A 2xx without an encrypted answer is a failed attempt. Only for profiles whose answers may be
  // encrypted (sealed-json).
  bool require_encrypted_response = false;
  RetryPolicy retry;
  Milliseconds timeout = kDefaultRequestTimeout;
  int max_in_flight = kDefaultEndpointInFlight;
  std::optional<double> rate_limit_per_second{};  // kMinRateLimit to kMaxRateLimit
  Ordering ordering = Ordering::none;
  OnDeadLetter on_dead_letter = OnDeadLetter::stop;  // for fifo
  ValidationKind validation = ValidationKind::none;
  std::map<std::string, SecretText> headers;  // static extra headers; values are treated as secrets
  std::map<std::string, std::string> metadata;
};

// How long two secrets are valid: from a rotation until the old one retires.
struct SecretGrace {
  Milliseconds left{0};     // from when the endpoint was loaded
  Milliseconds new_for{0};  // how long there had been the new secret then
  bool activated = false;   // the operator said that the receiver has the new secret
};

// An endpoint as stored. `version` rises with every change of anything a dispatcher uses.
struct Endpoint {
  EndpointId id;
  std::string tenant;
  EndpointStatus status = EndpointStatus::enabled;
  std::string status_reason;
  Validation validation{};
  int version = 1;
  std::int16_t bucket = 0;  // made by the schema; see dispatcher/bucket_owner.h
  EndpointSettings settings;
  // For dispatchers only: the valid secrets, the newest first, at most two; and what attempts
  // record of each (its fingerprint, or its id where the secret was not made by us).
  std::vector<SecretText> secrets;
  std::vector<std::string> secret_key_ids;
  std::optional<SecretGrace> grace;              // set if there are two
  std::vector<EncryptionKey> encryption_keys{};  // if enabled: that apply, the primary first
  std::vector<std::string> public_keys{};  // of these secrets, as core/signing_secret.h writes them
  WallTime created_at;
  WallTime updated_at;

  // The lower one of its rate limit and of what the receiver allowed; none: no limit.
  std::optional<double> rate_per_second() const;
  Standing standing() const {
    return {.status = status, .status_reason = status_reason, .validation = validation.state};
  }
};

inline constexpr char kCustomProfile[] = "custom";

// How requests to it are signed. Throws std::invalid_argument if there is no such preset.
SigningProfile signing_profile_of(const EndpointSettings& settings);

// True if one of the endpoint's patterns matches. "a.*" matches "a.b" and "a.b.c", not "a"; "*"
// matches every type except the reserved ones ("webhook.…"), which must be named exactly.
bool matches_event_type(std::string_view pattern, std::string_view event_type);

// nullopt if the pattern may be stored; otherwise what is wrong with it.
std::optional<std::string> event_pattern_error(std::string_view pattern);

// 1 to kMaxTenantLength letters, digits or _ . : @ -
bool is_tenant_name(std::string_view text);

// nullopt if a static header may be sent; otherwise what is wrong: its name is no token, its value
// has a control character or is too long, or the sender writes it itself (Host, webhook-…, ce-…).
std::optional<std::string> header_error(std::string_view name, std::string_view value);

}  // namespace sealpost
