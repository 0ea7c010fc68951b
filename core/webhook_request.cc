#include "core/webhook_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/bytes.h"
#include "base/check.h"
#include "core/envelope.h"
#include "core/form.h"
#include "core/header_rules.h"
#include "core/sealed_json.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

constexpr std::string_view kUserAgent = "Sealpost/" SEALPOST_VERSION;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr char kRequestOrigin[] = "WebHook-Request-Origin";
constexpr size_t kMostOwnHeaders = 10;  // of the profile and ours; more only costs a reallocation

// Receivers decode the body as UTF-8 text before they verify; Stripe's library fails on a byte
// order mark too. That JSON is JSON, PostgreSQL has checked.
bool is_text(std::string_view payload) {
  return !payload.starts_with(kByteOrderMark) && is_utf8(payload);
}

bool starts_with_digit(std::string_view body) {
  return !body.empty() && body.front() >= '0' && body.front() <= '9';
}

std::optional<Body> body_for(const SigningProfile& profile, Envelope envelope, const Event& event) {
  // Of the JSON envelopes only this one carries other payloads too, as base64.
  const bool becomes_json = envelope == Envelope::cloudevents && !event.payload_is_json;
  if (profile.body_must_be_json && !becomes_json && !event.payload_is_json) return std::nullopt;
  const bool must_be_text = profile.body_must_be_json || profile.body_must_be_utf8;
  if (must_be_text && !becomes_json && !is_text(event.payload)) return std::nullopt;
  std::optional<Body> body = build_body(envelope, event);
  if (!body) return std::nullopt;
  if (profile.body_must_not_start_with_digit && starts_with_digit(body->bytes)) return std::nullopt;
  return body;
}

bool has_header(const std::map<std::string, SecretText>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const auto& header) { return same_header_name(header.first, name); });
}

// The headers that every request has besides those of its profile.
void append_own_headers(const LeasedDelivery& delivery, const PreparedEndpoint& endpoint,
                        const Signer& signer, std::string idempotency, std::string content_type,
                        std::vector<Header>& headers) {
  if (!signer.writes_header("webhook-id")) {
    headers.push_back({"webhook-id", delivery.event->id.text()});
  }
  headers.push_back({"Idempotency-Key", std::move(idempotency)});
  if (delivery.attempts_made > 0) {
    headers.push_back({"webhook-attempt", std::to_string(delivery.attempts_made + 1)});
  }
  const auto& static_headers = endpoint.endpoint.settings.headers;
  if (!has_header(static_headers, "User-Agent")) {
    headers.push_back({"User-Agent", std::string(kUserAgent)});
  }
  headers.push_back({"Content-Type", std::move(content_type)});
  for (const auto& [name, value] : static_headers) {
    headers.push_back({name, std::string(value.reveal())});
  }
}

bool is_https(std::string_view url) {
  return url.size() > 5 && same_header_name(url.substr(0, 6), "https:");
}

// The last check before the wire: a line break in a value would be a header of somebody's choice.
bool may_be_sent(const std::vector<Header>& headers) {
  return std::all_of(headers.begin(), headers.end(), [](const Header& header) {
    return is_header_name(header.name) && is_header_value(header.value, kMaxOwnHeaderValueLength);
  });
}

// What a dialect demands of the URL.
void require_url(const SigningProfile& profile, const std::string& url) {
  if (!profile.https_only || is_https(url)) return;
  throw std::invalid_argument(
      fmt::format("url: the signing profile {} is for https:// only; give such a URL, or choose "
                  "another profile",
                  profile.name));
}

// Without a key nothing is sent: plain text would be worse.
void require_encryption_keys(const Endpoint& endpoint) {
  if (!endpoint.settings.encryption.enabled) return;
  if (endpoint.encryption_keys.empty()) {
    throw std::invalid_argument(
        "encryption: it is enabled and there is no key; register one at /v1/merchant/webhook-keys");
  }
  for (const EncryptionKey& key : endpoint.encryption_keys) {
    if (is_usable_box_key(key.public_key)) continue;
    throw std::invalid_argument(
        fmt::format("encryption: the key {} is not usable; delete it", key.id.text()));
  }
}

// It would wait for what nobody sends.
void require_answerable(const SigningProfile& profile, const EndpointSettings& settings) {
  if (profile.sealed_json || !settings.require_encrypted_response) return;
  throw std::invalid_argument(
      fmt::format("require_encrypted_response: answers to the signing profile {} are not "
                  "encrypted; choose sealed-json, or send false",
                  profile.name));
}

// Nothing else is a form when it is sent.
void require_form_bodies(const Signer& signer, const EndpointSettings& settings) {
  if (!signer.signs_form()) return;
  if (settings.envelope == Envelope::raw && !settings.encryption.enabled) return;
  throw std::invalid_argument(
      fmt::format("envelope: the signing profile {} signs the fields of a form, which only the "
                  "envelope raw carries, and not encrypted; choose that",
                  signer.profile().name));
}

bool may_be_signed(const Signer& signer, const Body& body) {
  return !signer.signs_form() || (is_form_type(body.content_type) && sorted_form(body.bytes));
}

// Which secret sealed a packet, so that a receiver with two knows which one opens it.
std::string key_id_of(const Endpoint& endpoint, const SecretText& secret) {
  return endpoint.id.text() + "." + secret_fingerprint(secret);
}

// Of several secrets the last, as with all dialects that have room for one.
void prepare_sealed_json(const Endpoint& endpoint, const std::vector<SecretText>& secrets,
                         PreparedEndpoint::Signing& signing) {
  if (endpoint.settings.encryption.enabled) {
    throw std::invalid_argument(
        "encryption: the signing profile sealed-json encrypts by itself; disable one of them");
  }
  if (!secrets.empty()) signing.sealed_json_root = decode_sealed_json_secret(secrets.back());
  if (!signing.sealed_json_root) {
    throw std::invalid_argument(
        "secret: the signing profile sealed-json needs rfsec_ and the base64 of 64 bytes");
  }
  signing.sealed_json_key_id = key_id_of(endpoint, secrets.back());
}

// `key_ids` may be empty: unknown.
PreparedEndpoint::Signing signing_with(const SigningProfile& profile, const Endpoint& endpoint,
                                       const std::vector<SecretText>& secrets,
                                       std::vector<std::string> key_ids) {
  PreparedEndpoint::Signing made;
  made.signer = std::make_shared<const Signer>(profile, secrets, endpoint.settings.url);
  if (profile.sealed_json) prepare_sealed_json(endpoint, secrets, made);
  const bool signs = profile.algorithm != SignatureAlgorithm::none || profile.sealed_json;
  if (!signs || key_ids.empty()) return made;
  // As the signer does.
  if (!profile.many_signatures && !profile.next_header) key_ids = {key_ids.back()};
  made.key_ids = fmt::format("{}", fmt::join(key_ids, ","));
  return made;
}

std::optional<PreparedEndpoint::Rotation> rotation_of(const SigningProfile& profile,
                                                      const Endpoint& endpoint) {
  if (!endpoint.grace) return std::nullopt;
  std::vector<SecretText> secrets = endpoint.secrets;
  std::vector<std::string> ids = endpoint.secret_key_ids;
  CHECK(secrets.size() == 2 && ids.size() == 2, "a grace is the time of two secrets");
  PreparedEndpoint::Rotation rotation;
  rotation.new_only = signing_with(profile, endpoint, {secrets.front()}, {ids.front()});
  if (has_key_pair(profile)) {
    rotation.old_only = signing_with(profile, endpoint, {secrets.back()}, {ids.back()});
  }
  std::swap(secrets.front(), secrets.back());
  std::swap(ids.front(), ids.back());
  rotation.new_last = signing_with(profile, endpoint, secrets, std::move(ids));
  return rotation;
}

}  // namespace

std::shared_ptr<const PreparedEndpoint> prepare(Endpoint endpoint) {
  require_encryption_keys(endpoint);
  const SigningProfile profile = signing_profile_of(endpoint.settings);
  PreparedEndpoint::Signing usual =
      signing_with(profile, endpoint, endpoint.secrets, endpoint.secret_key_ids);
  require_url(profile, endpoint.settings.url);
  require_answerable(profile, endpoint.settings);
  require_form_bodies(*usual.signer, endpoint.settings);
  for (const auto& [name, value] : endpoint.settings.headers) {
    if (usual.signer->writes_header(name)) {
      throw std::invalid_argument(
          fmt::format("headers: {} is written by the signing profile {}; remove it", name,
                      usual.signer->profile().name));
    }
  }
  auto rotation = rotation_of(profile, endpoint);
  return std::make_shared<const PreparedEndpoint>(PreparedEndpoint{
      .endpoint = std::move(endpoint), .usual = std::move(usual), .rotation = std::move(rotation)});
}

RequestBuilder::RequestBuilder(Random& random)
    : tools_(random), random_(random), encryptor_(random) {}

std::variant<HttpRequest, FailureReason> RequestBuilder::build(const LeasedDelivery& delivery,
                                                               const PreparedEndpoint& endpoint,
                                                               WallTime now) {
  return build(delivery, endpoint, endpoint.usual, now);
}

std::variant<HttpRequest, FailureReason> RequestBuilder::build(
    const LeasedDelivery& delivery, const PreparedEndpoint& endpoint,
    const PreparedEndpoint::Signing& signing, WallTime now) {
  if (!signing.signer) return FailureReason::internal;  // nothing leaves unsigned
  const Event& event = *delivery.event;
  const EndpointSettings& settings = endpoint.endpoint.settings;
  const SigningProfile& profile = signing.signer->profile();
  std::optional<Body> body = body_for(profile, settings.envelope, event);
  if (!body || !may_be_signed(*signing.signer, *body)) return FailureReason::payload_refused;
  std::string enc;
  if (settings.encryption.enabled && !encrypt(endpoint, event, now, *body, enc)) {
    return FailureReason::payload_refused;
  }
  std::shared_ptr<const SealedSession> session;
  if (profile.sealed_json) session = seal(signing, now, *body);

  HttpRequest request{.method = HttpMethod::post,
                      .url = settings.url,
                      .headers = {},
                      .body = std::move(body->bytes),
                      .timeout = settings.timeout,
                      .tls_1_3_only = profile.tls_1_3_only,
                      .sealed_session = std::move(session)};
  request.headers.reserve(kMostOwnHeaders + settings.headers.size());
  std::string idempotency = idempotency_key(event.id, delivery.generation);
  signing.signer->append_query(request.url, request.body, tools_);
  signing.signer->sign({.message_id = event.id.text(),
                        .event_type = event.type,
                        .idempotency_key = idempotency,
                        .url = request.url,
                        .content_type = body->content_type,
                        .body = request.body,
                        .enc = enc,
                        .time = now,
                        .attempt_number = delivery.attempts_made + 1},
                       tools_, request.headers);
  append_own_headers(delivery, endpoint, *signing.signer, std::move(idempotency),
                     std::move(body->content_type), request.headers);
  std::move(body->headers.begin(), body->headers.end(), std::back_inserter(request.headers));
  const std::string& origin = endpoint.endpoint.validation.origin;
  if (!origin.empty()) request.headers.push_back({kRequestOrigin, origin});
  if (!may_be_sent(request.headers)) return FailureReason::internal;
  return request;
}

bool RequestBuilder::encrypt(const PreparedEndpoint& to, const Event& event, WallTime now,
                             Body& body, std::string& enc) {
  const EncryptionSettings& settings = to.endpoint.settings.encryption;
  const BodyKind kind = event.payload_is_json ? BodyKind::json : BodyKind::other;
  EncryptedBody encrypted =
      encryptor_.encrypt(std::move(body.bytes), kind, settings, to.endpoint.encryption_keys, now);
  body.bytes = std::move(encrypted.json);
  body.content_type = "application/json";
  if (!to.usual.signer->profile().has_enc_component) return true;
  std::optional<std::string> component =
      enc_component(settings.enc_header, kind, encrypted.ciphertext);
  if (!component) return false;
  enc = *std::move(component);
  return true;
}

std::shared_ptr<const SealedSession> RequestBuilder::seal(const PreparedEndpoint::Signing& with,
                                                          WallTime now, Body& body) {
  SealedRequest sealed = seal_json(*with.sealed_json_root, with.sealed_json_key_id,
                                   body.content_type, body.bytes, now, random_);
  body.bytes = std::move(sealed.body);
  body.content_type = kSealedJsonType;
  std::move(sealed.headers.begin(), sealed.headers.end(), std::back_inserter(body.headers));
  return std::make_shared<const SealedSession>(std::move(sealed.session));
}

HttpRequest consent_request(const Endpoint& endpoint, const std::string& origin,
                            const std::string& callback) {
  HttpRequest request{
      .method = HttpMethod::options,
      .url = endpoint.settings.url,
      .headers = {{"User-Agent", std::string(kUserAgent)}, {kRequestOrigin, origin}},
      .body = {},
      .timeout = std::min(endpoint.settings.timeout, kMaxValidationTime)};
  if (const auto rate = requested_rate(endpoint.settings.rate_limit_per_second)) {
    request.headers.push_back({"WebHook-Request-Rate", std::to_string(*rate)});
  }
  if (!callback.empty()) request.headers.push_back({"WebHook-Request-Callback", callback});
  request.tls_1_3_only = signing_profile_of(endpoint.settings).tls_1_3_only;
  return request;
}

std::string idempotency_key(const EventId& event, int generation) {
  return fmt::format("wh_{}-retry-{}", event.text(), generation);
}

}  // namespace sealpost
