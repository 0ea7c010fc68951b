// The dialects that Sealpost speaks, as data. A new one is a new entry here, not code.
#include "core/signing_profile.h"

namespace sealpost {
namespace {

// Standard Webhooks 1.0: three headers, several signatures separated by a space.
SigningProfile standard() {
  return {.name = "standard",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .secret_decoding = SecretDecoding::whsec_base64,
          .content = "{id}.{ts}.{body}",
          .encoding = SignatureEncoding::base64,
          .signature_header = "webhook-signature",
          .item = "v1,{sig}",
          .join = " ",
          .many_signatures = true,
          .headers = {{"webhook-id", "{id}"}, {"webhook-timestamp", "{ts}"}},
          .body_must_be_json = true};
}

// The same with v1a, by Ed25519: receivers hold a public key and nothing that has to be kept
// secret.
SigningProfile standard_asymmetric() {
  SigningProfile profile = standard();
  profile.name = "standard-asymmetric";
  profile.algorithm = SignatureAlgorithm::ed25519;
  profile.secret_decoding = SecretDecoding::utf8;
  profile.item = "v1a,{sig}";
  return profile;
}

// Both in one header: libraries verify v1 and skip v1a, whoever wants to can verify v1a.
SigningProfile standard_both() {
  SigningProfile profile = standard();
  profile.name = "standard-both";
  profile.ed25519_item = "v1a,{sig}";
  return profile;
}

// Stripe's format: the key is the whole secret as text, "whsec_" included. Never a space after the
// comma and never upper-case hex: both fail in Stripe's own library.
SigningProfile stripe() {
  return {.name = "stripe",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{ts}.{body}",
          .signature_header = "Stripe-Signature",
          .prefix = "t={ts},",
          .item = "v1={sig}",
          .join = ",",
          .many_signatures = true,
          .has_enc_component = true,
          .body_must_be_json = true,
          .default_envelope = "itpay"};
}

// The ItPay webhook document: Stripe's format under another header name.
SigningProfile itpay() {
  SigningProfile profile = stripe();
  profile.name = "itpay";
  profile.signature_header = "Webhook-Signature";
  profile.default_retry_preset = "itpay";
  return profile;
}

// The Pandora Core webhook specification 1.0. Its timestamp header is the attempt's time, not the
// event's: receivers reject what is older than 300 s, so later attempts could never pass.
SigningProfile pandora() {
  return {.name = "pandora",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{body}",
          .signature_header = "x-core-signature",
          .item = "{sig}",
          .headers = {{"x-core-event-id", "{id}"},
                      {"x-core-version", "v1"},
                      {"x-core-timestamp", "{ts}"}},
          .body_must_be_json = true,
          .default_envelope = "pandora",
          .default_retry_preset = "pandora"};
}

// EnGenius Cloud, "Security". Nothing stands between timestamp and body, so "1" + "23" and "12" +
// "3" would sign alike: the body must not begin with a digit.
SigningProfile engenius() {
  return {.name = "engenius",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{ts}{body}",
          .signature_header = "X-EnGenius-Signature",
          .item = "{sig}",
          .headers = {{"X-EnGenius-Timestamp", "{ts}"}},
          .body_must_not_start_with_digit = true,
          .https_only = true,
          .default_retry_preset = "engenius"};
}

// GitHub, "Validating webhook deliveries".
SigningProfile github() {
  return {.name = "github",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{body}",
          .signature_header = "X-Hub-Signature-256",
          .item = "sha256={sig}",
          .headers = {{"X-GitHub-Event", "{event_type}"}, {"X-GitHub-Delivery", "{id}"}},
          .default_envelope = "raw"};
}

// Slack, "Verifying requests from Slack".
SigningProfile slack() {
  return {.name = "slack",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "v0:{ts}:{body}",
          .signature_header = "X-Slack-Signature",
          .item = "v0={sig}",
          .headers = {{"X-Slack-Request-Timestamp", "{ts}"}},
          .body_must_be_json = true,
          .default_envelope = "raw"};
}

// Zoom, "Verify webhook events": Slack's way under other names.
SigningProfile zoom() {
  SigningProfile profile = slack();
  profile.name = "zoom";
  profile.signature_header = "x-zm-signature";
  profile.headers = {{"x-zm-request-timestamp", "{ts}"}};
  return profile;
}

// Shopify's own library (shopify-app-js) wants a shop domain and an API version besides; those are
// for the endpoint's static headers.
SigningProfile shopify() {
  return {.name = "shopify",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{body}",
          .encoding = SignatureEncoding::base64,
          .signature_header = "X-Shopify-Hmac-Sha256",
          .item = "{sig}",
          .headers = {{"X-Shopify-Topic", "{event_type}"}, {"X-Shopify-Webhook-Id", "{id}"}},
          .default_envelope = "raw"};
}

// Square, WebhooksHelper.verifySignature: the URL exactly as it is registered, then the body.
SigningProfile square() {
  return {.name = "square",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{url}{body}",
          .encoding = SignatureEncoding::base64,
          .signature_header = "x-square-hmacsha256-signature",
          .item = "{sig}",
          .body_must_be_json = true,
          .default_envelope = "raw"};
}

// Twilio, validateRequestWithBody: only the URL is signed, and the body's digest stands in it.
SigningProfile twilio_json() {
  return {.name = "twilio-json",
          .algorithm = SignatureAlgorithm::hmac_sha1,
          .content = "{url}",
          .encoding = SignatureEncoding::base64,
          .signature_header = "X-Twilio-Signature",
          .item = "{sig}",
          .url_query = "bodySHA256={body_sha256_hex}",
          .body_must_be_utf8 = true,
          .default_envelope = "raw"};
}

// Adyen, webhooks of the balance platform and of management; its library is given the header's
// value and does not name the header, its documentation calls it HmacSignature.
SigningProfile adyen_platform() {
  return {.name = "adyen-platform",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .secret_decoding = SecretDecoding::hex,
          .content = "{body}",
          .encoding = SignatureEncoding::base64,
          .signature_header = "HmacSignature",
          .item = "{sig}",
          .headers = {{"Protocol", "HmacSHA256"}},
          .body_must_be_utf8 = true,
          .default_envelope = "raw"};
}

// Paddle, "Signature verification". Its library keeps only the last h1, and tolerates 5 seconds.
SigningProfile paddle() {
  return {.name = "paddle",
          .algorithm = SignatureAlgorithm::hmac_sha256,
          .content = "{ts}:{body}",
          .signature_header = "Paddle-Signature",
          .prefix = "ts={ts};",
          .item = "h1={sig}",
          .join = ";",
          .many_signatures = true,
          .body_must_be_utf8 = true,
          .default_envelope = "raw"};
}

// HTTP message signatures (RFC 9421) with Content-Digest (RFC 9530). The last line of what is
// signed repeats the parameters of Signature-Input as they are sent.
SigningProfile httpsig(std::string name, SignatureAlgorithm algorithm,
                       std::string_view registered) {
  const std::string parameters =
      R"(("@method" "@target-uri" "content-type" "content-digest" "webhook-id" )"
      R"("webhook-timestamp");created={ts};expires={expires};keyid="{kid}";alg=")" +
      std::string(registered) + R"(";nonce="{nonce}";tag="webhook")";
  return {.name = std::move(name),
          .algorithm = algorithm,
          .content = R"("@method": {method}{lf})"
                     R"("@target-uri": {scheme}://{host}{path}{query}{lf})"
                     R"("content-type": {content_type}{lf})"
                     R"("content-digest": sha-256=:{body_sha256_base64}:{lf})"
                     R"("webhook-id": {id}{lf})"
                     R"("webhook-timestamp": {ts}{lf})"
                     R"("@signature-params": )" +
                     parameters,
          .encoding = SignatureEncoding::base64,
          .signature_header = "Signature",
          .item = "sig{n}=:{sig}:",
          .join = ", ",
          .many_signatures = true,
          .input_header = "Signature-Input",
          .input_item = "sig{n}=" + parameters,
          .headers = {{"webhook-id", "{id}"},
                      {"webhook-timestamp", "{ts}"},
                      {"Content-Digest", "sha-256=:{body_sha256_base64}:"}}};
}

// The RoboFlux whitepaper, as core/sealed_json.h reads it.
SigningProfile sealed_json() {
  return {.name = "sealed-json", .sealed_json = true, .default_envelope = "standard"};
}

SigningProfile none() { return {.name = "none"}; }

const std::vector<SigningProfile>& presets() {
  static const std::vector<SigningProfile> list = {
      standard(),
      standard_asymmetric(),
      standard_both(),
      itpay(),
      stripe(),
      pandora(),
      engenius(),
      github(),
      shopify(),
      slack(),
      zoom(),
      square(),
      twilio_json(),
      adyen_platform(),
      paddle(),
      httpsig("httpsig", SignatureAlgorithm::ed25519, "ed25519"),
      httpsig("httpsig-p256", SignatureAlgorithm::ecdsa_p256_sha256, "ecdsa-p256-sha256"),
      httpsig("httpsig-hmac", SignatureAlgorithm::hmac_sha256, "hmac-sha256"),
      sealed_json(),
      none()};
  return list;
}

}  // namespace

std::optional<SigningProfile> signing_preset(std::string_view name) {
  for (const SigningProfile& profile : presets()) {
    if (profile.name == name) return profile;
  }
  return std::nullopt;
}

std::vector<std::string_view> signing_preset_names() {
  std::vector<std::string_view> names;
  for (const SigningProfile& profile : presets()) names.push_back(profile.name);
  return names;
}

}  // namespace sealpost
