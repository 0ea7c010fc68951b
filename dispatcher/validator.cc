#include "dispatcher/validator.h"

#include <array>
#include <stdexcept>
#include <variant>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/ulid.h"

namespace sealpost {
namespace {

constexpr Milliseconds kTurn{50};
constexpr std::chrono::seconds kInterval{1};
constexpr int kMostOpen = 16;  // questions at once
constexpr std::size_t kSecretBytes = 16;

// The challenge is an event of ours that goes to this endpoint only, signed like any other, with
// the body as it is.
Endpoint for_challenge(const Endpoint& endpoint) {
  Endpoint changed = endpoint;
  changed.settings.envelope = Envelope::raw;
  changed.settings.encryption.enabled = false;
  changed.settings.timeout = std::min(changed.settings.timeout, kMaxChallengeTime);
  return changed;
}

void log_verdict(const DueValidation& due, const ValidationVerdict& verdict) {
  const std::string& id = due.endpoint_id.text();
  if (std::holds_alternative<Consent>(verdict)) {
    log_info("endpoint.validated", {{"endpoint_id", id}});
  } else if (const auto* refusal = std::get_if<NoConsent>(&verdict)) {
    log_warn("endpoint.validation_refused", {{"endpoint_id", id}, {"reason", refusal->reason}});
  } else if (const auto* silence = std::get_if<NoAnswer>(&verdict)) {
    log_info("endpoint.validation_unanswered",
             {{"endpoint_id", id}, {"asked", due.asked}, {"reason", silence->reason}});
  } else {
    log_info("endpoint.validation_awaits_callback", {{"endpoint_id", id}});
  }
}

}  // namespace

void Validator::run() {
  while (!thread_.stopping()) {
    const MonotonicTime now = parts_.clock.monotonic_now();
    thread_.turned(now);
    try {
      take_answers();
      forget_unanswered();
      if (!looked_at_ || now >= *looked_at_ + kInterval) ask_due();
      backoff_.reset();
      thread_.sleep(kTurn);
    } catch (const StorageError& error) {
      parts_.health.failed("validations", error);
      thread_.sleep(backoff_.after(error));
    }
  }
}

void Validator::take_answers() {
  for (SideRequests::Answer& answer : parts_.requests.take_answers()) {
    const auto found = open_.find(answer.tag);
    if (found == open_.end()) continue;
    const Open open = std::move(found->second);
    open_.erase(found);
    conclude(open.due, judge(open, answer.outcome));
  }
}

// The store hands them out again, perhaps to somebody else.
void Validator::forget_unanswered() {
  const MonotonicTime now = parts_.clock.monotonic_now();
  std::erase_if(open_,
                [&](const auto& entry) { return now >= entry.second.asked_at + kValidationHold; });
}

void Validator::ask_due() {
  looked_at_ = parts_.clock.monotonic_now();
  const int room = kMostOpen - static_cast<int>(open_.size());
  const Membership::Buckets buckets = parts_.membership.buckets();
  if (room <= 0 || buckets->empty()) return;
  const std::vector<DueValidation> due = parts_.store->take_due(*buckets, room);
  parts_.health.reached("validations");
  if (due.empty()) return;
  std::vector<EndpointId> ids;
  for (const DueValidation& one : due) ids.push_back(one.endpoint_id);
  for (const Endpoint& endpoint : parts_.source->load(ids)) {
    for (const DueValidation& one : due) {
      // Changed since: its new version is handed out when the hold ends.
      if (one.endpoint_id == endpoint.id && one.version == endpoint.version) ask(one, endpoint);
    }
  }
}

void Validator::ask(const DueValidation& due, const Endpoint& endpoint) {
  Open open{
      .due = due, .kind = endpoint.settings.validation, .asked_at = parts_.clock.monotonic_now()};
  if (open.kind == ValidationKind::cloudevents) return ask_for_consent(std::move(open), endpoint);
  if (open.kind == ValidationKind::challenge) return challenge(std::move(open), endpoint);
}

void Validator::ask_for_consent(Open open, const Endpoint& endpoint) {
  if (options_.origin.empty()) {
    return conclude(open.due, NoConsent{"SEALPOST_WEBHOOK_ORIGIN is not set for the dispatcher."});
  }
  std::string callback;
  std::string secret_sha256;
  if (!options_.public_url.empty()) {
    const std::string secret = random_text();
    secret_sha256 = sha256(secret);
    callback = options_.public_url + "/v1/webhook-validations/" + secret;
    open.callback_offered = true;
  }
  open.per_minute = requested_rate(endpoint.settings.rate_limit_per_second);
  parts_.store->asking(open.due, options_.origin, secret_sha256);
  send(std::move(open), consent_request(endpoint, options_.origin, callback));
}

void Validator::challenge(Open open, const Endpoint& endpoint) {
  const SigningProfile profile = signing_profile_of(endpoint.settings);
  for (const SecretText& secret : endpoint.secrets) {
    if (auto key = challenge_key(profile, secret)) open.keys.push_back(*std::move(key));
  }
  const WallTime now = parts_.clock.wall_now();
  open.plain_token = random_text();
  Event event;
  event.id = EventId(new_ulid("evt_", now, parts_.random));
  event.tenant = endpoint.tenant;
  event.type = kChallengeEvent;
  event.payload = challenge_body(open.plain_token, now);
  event.content_type = "application/json";
  event.created_at = now;
  LeasedDelivery delivery;
  delivery.endpoint_id = endpoint.id;
  delivery.event = std::make_shared<const Event>(std::move(event));
  try {
    auto built = builder_.build(delivery, *prepare(for_challenge(endpoint)), now);
    if (auto* request = std::get_if<HttpRequest>(&built); request && !open.keys.empty()) {
      return send(std::move(open), std::move(*request));
    }
  } catch (const std::invalid_argument&) {
    // Its deliveries are held as well, and endpoint.unusable says why.
  }
  conclude(open.due, NoAnswer{"The challenge could not be signed."});
}

void Validator::send(Open open, HttpRequest request) {
  const std::uint64_t tag = parts_.requests.ask(std::move(request));
  open_.emplace(tag, std::move(open));
  parts_.network.wake();
}

ValidationVerdict Validator::judge(const Open& open, const AttemptOutcome& outcome) const {
  if (open.kind == ValidationKind::challenge) {
    return judge_challenge(outcome, open.plain_token, open.keys);
  }
  return judge_consent(outcome, {.origin = options_.origin,
                                 .per_minute = open.per_minute,
                                 .callback_offered = open.callback_offered});
}

void Validator::conclude(const DueValidation& due, const ValidationVerdict& verdict) {
  if (parts_.store->conclude(due, verdict)) log_verdict(due, final_verdict(due, verdict));
}

// 128 bits.
std::string Validator::random_text() {
  std::array<std::byte, kSecretBytes> bytes{};
  parts_.random.fill(bytes);
  return base64url_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace sealpost
