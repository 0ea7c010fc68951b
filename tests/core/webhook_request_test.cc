#include "core/webhook_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/sealed_json.h"
#include "core/signing_secret.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const WallTime kNow{1716792600s + 999ms};
const std::string kStandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Event paid() {
  return {.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
          .tenant = "acme",
          .type = "invoice.paid",
          .payload = R"({"amount":50000})",
          .payload_is_json = true,
          .content_type = "application/json",
          .ordering_key = "",
          .created_at = WallTime{1716790000s}};
}

// Signatures by Ed25519 cannot be told from noise, so whichever key will do.
SecretText secret_for(const std::string& profile, const std::string& text) {
  FakeRandom random;
  if (profile == "standard") return SecretText(kStandardSecret);
  const SigningProfile preset = signing_preset(profile).value();
  const bool takes_any_text = is_hmac(preset.algorithm) &&
                              preset.secret_decoding == SecretDecoding::utf8 &&
                              preset.ed25519_item.empty();
  return takes_any_text ? SecretText(text) : new_signing_secret(preset, random);
}

Endpoint endpoint(const std::string& profile, const std::string& secret = "secret") {
  Endpoint made;
  made.id = EndpointId("we_1");
  made.settings.url = "https://example.com/webhook";
  made.settings.signing_profile = profile;
  made.settings.envelope =
      envelope_from_text(signing_preset(profile).value().default_envelope).value();
  made.secrets.push_back(secret_for(profile, secret));
  return made;
}

LeasedDelivery delivery(Event event) {
  LeasedDelivery made;
  made.id = DeliveryId("dlv_1");
  made.endpoint_id = EndpointId("we_1");
  made.event = std::make_shared<const Event>(std::move(event));
  return made;
}

std::variant<HttpRequest, FailureReason> build(const LeasedDelivery& of, const Endpoint& to) {
  FakeRandom random;
  return RequestBuilder(random).build(of, *prepare(to), kNow);
}

HttpRequest request(const LeasedDelivery& of, const Endpoint& to) {
  return std::get<HttpRequest>(build(of, to));
}

FailureReason refusal(const Event& event, const Endpoint& to) {
  return std::get<FailureReason>(build(delivery(event), to));
}

std::vector<std::string> lines(const HttpRequest& of) {
  std::vector<std::string> all;
  for (const Header& header : of.headers) all.push_back(header.name + ": " + header.value);
  return all;
}

// The value of the one header of that name; empty if there is none.
std::string value(const HttpRequest& of, const std::string& name) {
  std::string found;
  for (const Header& header : of.headers) {
    if (header.name != name) continue;
    EXPECT_EQ(found, "") << name << " is there twice";
    found = header.value;
  }
  return found;
}

TEST(WebhookRequestTest, AStandardRequestIsComplete) {
  Endpoint to = endpoint("standard");
  to.settings.timeout = 7s;
  const HttpRequest made = request(delivery(paid()), to);
  EXPECT_EQ(made.url, "https://example.com/webhook");
  EXPECT_EQ(made.timeout, 7s);
  EXPECT_EQ(made.body, R"({"type":"invoice.paid","timestamp":"2024-05-27T06:06:40.000Z",)"
                       R"("data":{"amount":50000}})");
  // The signature was computed with Python's hmac over id, time and body.
  EXPECT_THAT(
      lines(made),
      ElementsAre("webhook-id: evt_01J7Z3A4B5C6D7E8F9G0H1J2KM", "webhook-timestamp: 1716792600",
                  "webhook-signature: v1,FhrbjgITPOoR/Ti3rNswzxCAQ04wnyS0Z26OfCtS7FU=",
                  "Idempotency-Key: wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
                  "User-Agent: Sealpost/" SEALPOST_VERSION, "Content-Type: application/json"));
}

TEST(WebhookRequestTest, EveryProfileSendsIdsAndContentType) {
  for (const std::string_view name : signing_preset_names()) {
    const HttpRequest made = request(delivery(paid()), endpoint(std::string(name)));
    EXPECT_EQ(value(made, "webhook-id"), "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM") << name;
    EXPECT_EQ(value(made, "Idempotency-Key"), "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1") << name;
    EXPECT_EQ(value(made, "Content-Type"),
              name == "sealed-json" ? "application/jose+json" : "application/json")
        << name;
    EXPECT_EQ(value(made, "User-Agent"), "Sealpost/" SEALPOST_VERSION) << name;
  }
}

TEST(WebhookRequestTest, OnlyLaterAttemptsCarryTheirNumber) {
  LeasedDelivery first = delivery(paid());
  EXPECT_EQ(value(request(first, endpoint("standard")), "webhook-attempt"), "");
  first.attempts_made = 2;
  EXPECT_EQ(value(request(first, endpoint("standard")), "webhook-attempt"), "3");
}

TEST(WebhookRequestTest, TheIdempotencyKeyChangesOnlyWithTheGeneration) {
  EXPECT_EQ(idempotency_key(EventId("evt_1"), 1), "wh_evt_1-retry-1");
  LeasedDelivery replayed = delivery(paid());
  replayed.generation = 12;
  replayed.attempts_made = 5;
  EXPECT_EQ(value(request(replayed, endpoint("standard")), "Idempotency-Key"),
            "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-12");
}

TEST(WebhookRequestTest, StaticHeadersComeLast) {
  Endpoint to = endpoint("none");
  to.settings.headers["Authorization"] = SecretText("Bearer abc");
  to.settings.headers["X-Api-Key"] = SecretText("k");
  const auto all = lines(request(delivery(paid()), to));
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(all[all.size() - 2], "Authorization: Bearer abc");
  EXPECT_EQ(all[all.size() - 1], "X-Api-Key: k");
}

TEST(WebhookRequestTest, AStaticUserAgentReplacesOurs) {
  Endpoint to = endpoint("standard");
  to.settings.headers["user-agent"] = SecretText("acme/1.0");
  const HttpRequest made = request(delivery(paid()), to);
  EXPECT_EQ(value(made, "User-Agent"), "");
  EXPECT_EQ(value(made, "user-agent"), "acme/1.0");
}

TEST(WebhookRequestTest, ALineBreakInAnyHeaderStopsTheRequest) {
  using namespace std::string_literals;
  for (const std::string& bad : {"a\r\nX-Evil: 1"s, "a\n"s, "a\0b"s, ""s, "\xC3\xA9"s}) {
    Endpoint to = endpoint("standard");
    to.settings.headers["X-Api-Key"] = SecretText(bad);
    EXPECT_EQ(refusal(paid(), to), FailureReason::internal) << testing::PrintToString(bad);
  }
  Endpoint to = endpoint("standard");
  to.settings.headers["X-A\r\nX-Evil"] = SecretText("1");
  EXPECT_EQ(refusal(paid(), to), FailureReason::internal);

  Event event = paid();
  event.content_type = "text/plain\r\nX-Evil: 1";
  to = endpoint("none");
  to.settings.envelope = Envelope::raw;
  EXPECT_EQ(refusal(event, to), FailureReason::internal);
  event = paid();
  event.type = "a\r\nX-Evil: 1";
  EXPECT_EQ(refusal(event, endpoint("github")), FailureReason::internal);
}

TEST(WebhookRequestTest, JsonProfilesRefuseWhatTheirReceiversCannotRead) {
  for (const char* profile : {"standard", "itpay", "stripe", "pandora", "slack"}) {
    for (const Envelope envelope : {Envelope::standard, Envelope::raw}) {
      Endpoint to = endpoint(profile);
      to.settings.envelope = envelope;
      Event event = paid();
      event.payload_is_json = false;
      EXPECT_EQ(refusal(event, to), FailureReason::payload_refused) << profile << " binary";
      event = paid();
      event.payload = "{\"a\":\"\xff\"}";
      EXPECT_EQ(refusal(event, to), FailureReason::payload_refused) << profile << " invalid UTF-8";
      event.payload = "\xEF\xBB\xBF{}";
      EXPECT_EQ(refusal(event, to), FailureReason::payload_refused) << profile << " BOM";
    }
  }
}

TEST(WebhookRequestTest, OtherProfilesCarryAnyPayloadRaw) {
  for (const char* profile : {"github", "engenius", "none"}) {
    Endpoint to = endpoint(profile);
    to.settings.envelope = Envelope::raw;
    Event event = paid();
    event.payload = std::string("\xEF\xBB\xBF\x00\xff\r\n", 7);
    event.payload_is_json = false;
    event.content_type = "application/x-protobuf";
    const HttpRequest made = request(delivery(event), to);
    EXPECT_EQ(made.body, event.payload) << profile;
    EXPECT_EQ(value(made, "Content-Type"), "application/x-protobuf") << profile;
    to.settings.envelope = Envelope::standard;
    EXPECT_EQ(refusal(event, to), FailureReason::payload_refused) << profile;
  }
}

TEST(WebhookRequestTest, AProfileThatSignsFieldsSendsFormsOnly) {
  Endpoint to = endpoint("none");
  to.settings.envelope = Envelope::raw;
  to.settings.signing_profile = kCustomProfile;
  to.secrets = {SecretText("12345")};
  to.settings.custom_signing = SigningProfile{.name = "custom",
                                              .algorithm = SignatureAlgorithm::hmac_sha1,
                                              .content = "{url}{form_sorted}",
                                              .signature_header = "X-Twilio-Signature",
                                              .item = "{sig}"};
  Event event = paid();
  event.payload = "b=2&a=1";
  event.payload_is_json = false;
  event.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(request(delivery(event), to).body, "b=2&a=1");
  event.payload = "a=%";
  EXPECT_EQ(refusal(event, to), FailureReason::payload_refused);
  EXPECT_EQ(refusal(paid(), to), FailureReason::payload_refused) << "JSON";
  to.settings.envelope = Envelope::standard;
  EXPECT_THROW(prepare(to), std::invalid_argument);
  to.settings.envelope = Envelope::raw;
  to.settings.encryption.enabled = true;
  EXPECT_THROW(prepare(to), std::invalid_argument);
}

TEST(WebhookRequestTest, EngeniusRefusesABodyThatBeginsWithADigit) {
  Endpoint to = endpoint("engenius");
  to.settings.envelope = Envelope::raw;
  Event event = paid();
  for (const char* payload : {"0", "9", "42 "}) {
    event.payload = payload;
    EXPECT_EQ(refusal(event, to), FailureReason::payload_refused);
  }
  event.payload = "-1";
  EXPECT_EQ(request(delivery(event), to).body, "-1");
  to.settings.envelope = Envelope::standard;
  event.payload = "42";
  EXPECT_EQ(request(delivery(event), to).body.back(), '}');
}

TEST(WebhookRequestTest, AnEndpointWithoutASignerSendsNothing) {
  const PreparedEndpoint broken{.endpoint = endpoint("standard")};
  FakeRandom random;
  const auto made = RequestBuilder(random).build(delivery(paid()), broken, kNow);
  EXPECT_EQ(std::get<FailureReason>(made), FailureReason::internal);
}

TEST(WebhookRequestTest, CloudEventsGoWithEveryProfile) {
  Endpoint to = endpoint("standard");
  to.settings.envelope = Envelope::cloudevents_binary;
  const HttpRequest binary = request(delivery(paid()), to);
  EXPECT_EQ(value(binary, "ce-type"), "invoice.paid");
  EXPECT_EQ(value(binary, "Content-Type"), "application/json");
  EXPECT_EQ(binary.body, paid().payload);
  to.settings.envelope = Envelope::cloudevents;
  Event protobuf = paid();
  protobuf.payload = std::string("\x08\x00", 2);
  protobuf.payload_is_json = false;
  protobuf.content_type = "application/x-protobuf";
  const HttpRequest structured = request(delivery(protobuf), to);
  EXPECT_EQ(value(structured, "Content-Type"), "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(value(structured, "ce-type"), "");
  to.settings.envelope = Envelope::cloudevents_binary;
  EXPECT_EQ(refusal(protobuf, to), FailureReason::payload_refused);
}

TEST(WebhookRequestTest, SealedJsonSendsAPacketThatOpens) {
  const Endpoint to = endpoint("sealed-json");
  const HttpRequest made = request(delivery(paid()), to);
  EXPECT_EQ(made.body.find("50000"), std::string::npos);
  const auto root = decode_sealed_json_secret(to.secrets.front());
  const std::string timestamp = value(made, "X-RoboFlux-Timestamp");
  const std::string nonce = value(made, "X-RoboFlux-Nonce");
  const std::string session = value(made, "X-RoboFlux-Session");
  const std::string token = value(made, "X-RoboFlux-Token");
  const std::string signature = value(made, "X-RoboFlux-Signature");
  const auto opened = open_sealed_request(*root,
                                          {.timestamp = timestamp,
                                           .nonce = nonce,
                                           .session = session,
                                           .token = token,
                                           .signature = signature},
                                          made.body);
  const auto* text = std::get_if<OpenedRequest>(&opened);
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->session.key_id, "we_1." + secret_fingerprint(to.secrets.front()));
  EXPECT_NE(std::string(text->text.reveal()).find(R"("data":{"amount":50000})"), std::string::npos);
  EXPECT_EQ(timestamp, "1716792600");
  ASSERT_NE(made.sealed_session, nullptr) << "the answer may be encrypted";
  EXPECT_EQ(made.sealed_session->key_id, text->session.key_id);
  EXPECT_EQ(made.sealed_session->session, session);
  EXPECT_EQ(made.sealed_session->nonce, nonce);
  EXPECT_EQ(made.sealed_session->root.reveal(), root->reveal());
  EXPECT_EQ(request(delivery(paid()), endpoint("standard")).sealed_session, nullptr);
}

TEST(WebhookRequestTest, OneBuilderServesEndpointsOfAllProfiles) {
  FakeRandom random;
  RequestBuilder builder(random);
  for (int round = 0; round < 2; ++round) {
    for (const std::string_view name : signing_preset_names()) {
      const Endpoint to = endpoint(std::string(name));
      const auto made = builder.build(delivery(paid()), *prepare(to), kNow);
      const auto mine = lines(std::get<HttpRequest>(made));
      const auto anew = lines(request(delivery(paid()), to));
      EXPECT_EQ(mine.size(), anew.size()) << name;
      // These have a nonce, and no two signatures alike.
      if (name.starts_with("httpsig") || name == "sealed-json") continue;
      EXPECT_EQ(mine, anew) << name;
    }
  }
}

TEST(PrepareTest, EndpointsThatCannotBeSignedForAreRefused) {
  Endpoint sealed = endpoint("sealed-json");
  sealed.settings.encryption.enabled = true;
  EXPECT_THROW(prepare(sealed), std::invalid_argument) << "encrypted twice";
  sealed = endpoint("sealed-json");
  sealed.secrets = {SecretText(kStandardSecret)};
  EXPECT_THROW(prepare(sealed), std::invalid_argument);
  Endpoint demanding = endpoint("standard");
  demanding.settings.require_encrypted_response = true;
  EXPECT_THROW(prepare(demanding), std::invalid_argument) << "nobody would answer so";
  demanding = endpoint("sealed-json");
  demanding.settings.require_encrypted_response = true;
  EXPECT_NO_THROW(prepare(demanding));
  Endpoint unknown = endpoint("standard");
  unknown.settings.signing_profile = "sha3";
  EXPECT_THROW(prepare(unknown), std::invalid_argument);
  Endpoint without_secret = endpoint("standard");
  without_secret.secrets.clear();
  EXPECT_THROW(prepare(without_secret), std::invalid_argument);
}

TEST(PrepareTest, AStaticHeaderCannotReplaceASignature) {
  for (const auto& [profile, name] : {std::pair{"github", "x-hub-signature-256"},
                                      {"pandora", "X-Core-Event-Id"},
                                      {"stripe", "stripe-signature"}}) {
    Endpoint to = endpoint(profile);
    to.settings.headers[name] = SecretText("forged");
    EXPECT_THROW(prepare(to), std::invalid_argument) << name;
  }
}

TEST(PrepareTest, ADialectForHttpsOnlyRefusesHttp) {
  Endpoint to = endpoint("engenius");
  EXPECT_NO_THROW(prepare(to));
  to.settings.url = "http://example.com/webhook";
  EXPECT_THROW(prepare(to), std::invalid_argument);
  to.settings.signing_profile = "github";
  EXPECT_NO_THROW(prepare(to));
}

TEST(WebhookRequestTest, TwilioPutsTheBodysDigestIntoTheUrl) {
  const HttpRequest made = request(delivery(paid()), endpoint("twilio-json"));
  // printf '{"amount":50000}' | sha256sum
  EXPECT_EQ(made.url,
            "https://example.com/webhook?bodySHA256="
            "27c5b125bc4f59e56ce17f9f347d856def407fad127d715525365818378a7996");
}

TEST(WebhookRequestTest, ACustomProfileIsUsed) {
  Endpoint to = endpoint("github");
  to.settings.signing_profile = kCustomProfile;
  to.settings.custom_signing = SigningProfile{.name = kCustomProfile,
                                              .algorithm = SignatureAlgorithm::hmac_sha512,
                                              .content = "{method} {path}{lf}{body}",
                                              .signature_header = "X-Acme",
                                              .item = "{sig}",
                                              .tls_1_3_only = true};
  to.settings.envelope = Envelope::raw;
  const HttpRequest made = request(delivery(paid()), to);
  EXPECT_EQ(value(made, "X-Acme"),
            "b3bbe9f689e8c5e4fdca4f41f83e8913a5f792e5232704521603a45a19ab44c2"
            "97f46c10ea3fa3e6ee19b218ff09f2fb07df5b0de6cbced046bec188404f746c");
  EXPECT_TRUE(made.tls_1_3_only);
}

}  // namespace
}  // namespace sealpost
