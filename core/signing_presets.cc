// The dialects that Sealpost speaks, as data. A new one is a new entry here, not code.
#include "core/signing_profile.h"

namespace sealpost {
namespace {

// Standard Webhooks 1.0: three headers, several signatures separated by a space.
SigningProfile standard() {
  return {.name = "standard",
          .algorithm = HmacAlgorithm::sha256,
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

// Stripe's format: the key is the whole secret as text, "whsec_" included. Never a space after the
// comma and never upper-case hex: both fail in Stripe's own library.
SigningProfile stripe() {
  return {.name = "stripe",
          .algorithm = HmacAlgorithm::sha256,
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
          .algorithm = HmacAlgorithm::sha256,
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
          .algorithm = HmacAlgorithm::sha256,
          .content = "{ts}{body}",
          .signature_header = "X-EnGenius-Signature",
          .item = "{sig}",
          .headers = {{"X-EnGenius-Timestamp", "{ts}"}},
          .body_must_not_start_with_digit = true,
          .default_retry_preset = "engenius"};
}

// GitHub, "Validating webhook deliveries".
SigningProfile github() {
  return {.name = "github",
          .algorithm = HmacAlgorithm::sha256,
          .content = "{body}",
          .signature_header = "X-Hub-Signature-256",
          .item = "sha256={sig}",
          .headers = {{"X-GitHub-Event", "{event_type}"}, {"X-GitHub-Delivery", "{id}"}},
          .default_envelope = "raw"};
}

// Slack, "Verifying requests from Slack".
SigningProfile slack() {
  return {.name = "slack",
          .algorithm = HmacAlgorithm::sha256,
          .content = "v0:{ts}:{body}",
          .signature_header = "X-Slack-Signature",
          .item = "v0={sig}",
          .headers = {{"X-Slack-Request-Timestamp", "{ts}"}},
          .body_must_be_json = true,
          .default_envelope = "raw"};
}

// The RoboFlux whitepaper, as core/sealed_json.h reads it.
SigningProfile sealed_json() {
  return {.name = "sealed-json", .sealed_json = true, .default_envelope = "standard"};
}

SigningProfile none() { return {.name = "none"}; }

const std::vector<SigningProfile>& presets() {
  static const std::vector<SigningProfile> list = {standard(), itpay(),       stripe(),
                                                   pandora(),  engenius(),    github(),
                                                   slack(),    sealed_json(), none()};
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
