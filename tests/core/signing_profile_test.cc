// Expected signatures were computed with the senders' own published libraries and Python's hmac,
// not with this code; two come from the documents themselves (GitHub, Standard Webhooks).
#include "core/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/signing_secret.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using testing::ElementsAre;

constexpr std::string_view kId = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM";
constexpr std::string_view kBody =
    R"({"id":"evt_01J7Z3A4B5C6D7E8F9G0H1J2KM","type":"payment_intent.succeeded",)"
    R"("data":{"object":{"id":"pi_1","amount":50000,"status":"succeeded"}},"created":1716792600})";
const WallTime kTime{std::chrono::seconds(1716792600) + std::chrono::milliseconds(789)};

const SigningInput kInput{.message_id = kId,
                          .event_type = "payment_intent.succeeded",
                          .idempotency_key = "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
                          .url = "https://example.com/webhook",
                          .content_type = "application/json",
                          .body = kBody,
                          .time = kTime,
                          .attempt_number = 3};

// "name: value" of every header that the signer writes.
std::vector<std::string> sign(const SigningProfile& profile,
                              const std::vector<std::string>& secrets,
                              const SigningInput& input = kInput, std::string_view url = {}) {
  std::vector<SecretText> texts;
  for (const std::string& secret : secrets) texts.emplace_back(secret);
  const Signer signer(profile, texts, url);
  FakeRandom random;
  SigningTools tools(random);
  std::vector<Header> headers;
  signer.sign(input, tools, headers);
  std::vector<std::string> lines;
  for (const Header& header : headers) lines.push_back(header.name + ": " + header.value);
  return lines;
}

std::vector<std::string> sign(std::string_view preset, const std::vector<std::string>& secrets,
                              const SigningInput& input = kInput) {
  return sign(signing_preset(preset).value(), secrets, input);
}

std::string failure(const SigningProfile& profile, const std::vector<std::string>& secrets) {
  try {
    sign(profile, secrets);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(SigningProfileTest, PresetsAreListedAndFoundByName) {
  EXPECT_THAT(signing_preset_names(),
              ElementsAre("standard", "standard-asymmetric", "standard-both", "itpay", "stripe",
                          "pandora", "engenius", "github", "shopify", "slack", "zoom", "square",
                          "twilio-json", "adyen-platform", "paddle", "httpsig", "httpsig-p256",
                          "httpsig-hmac", "sealed-json", "none"));
  for (const std::string_view name : signing_preset_names()) {
    EXPECT_EQ(signing_preset(name).value().name, name);
  }
  EXPECT_FALSE(signing_preset("Standard"));
}

TEST(SigningProfileTest, StandardMatchesTheSpecificationsOwnExample) {
  const SigningInput input{.message_id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
                           .event_type = "",
                           .idempotency_key = "",
                           .url = "",
                           .content_type = "",
                           .body = R"({"test": 2432232314})",
                           .time = WallTime{std::chrono::seconds(1614265330)}};
  for (const char* secret :
       {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    EXPECT_THAT(
        sign("standard", {secret}, input),
        ElementsAre("webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp: 1614265330",
                    "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
  }
}

TEST(SigningProfileTest, ItpayAndStripeSignTimeAndBodyUnderTheWholeSecret) {
  const std::string value =
      "t=1716792600,v1=8802f7652848ba7dc065f8dd5c3e0b24215118f9bac4fafcf3b566cefcf894a8";
  EXPECT_THAT(sign("itpay", {"whsec_abc123def456"}), ElementsAre("Webhook-Signature: " + value));
  EXPECT_THAT(sign("stripe", {"whsec_abc123def456"}), ElementsAre("Stripe-Signature: " + value));
}

TEST(SigningProfileTest, PandoraSignsTheBodyAlone) {
  EXPECT_THAT(sign("pandora", {"callbackSecret"}),
              ElementsAre("x-core-event-id: evt_01J7Z3A4B5C6D7E8F9G0H1J2KM", "x-core-version: v1",
                          "x-core-timestamp: 1716792600",
                          "x-core-signature: "
                          "370a32980bf0e61b71b582728cb59ce51fe127b52b7e85758bc2ce920a8b2c9a"));
}

TEST(SigningProfileTest, EngeniusSignsTimeAndBodyWithoutASeparator) {
  EXPECT_THAT(sign("engenius", {"shared-secret"}),
              ElementsAre("X-EnGenius-Timestamp: 1716792600",
                          "X-EnGenius-Signature: "
                          "188384bb8edb52bb89583d4e4006e11f5de94b865149843bb989faa220eeab9f"));
}

TEST(SigningProfileTest, SlackSignsVersionTimeAndBody) {
  EXPECT_THAT(sign("slack", {"secret"}),
              ElementsAre("X-Slack-Request-Timestamp: 1716792600",
                          "X-Slack-Signature: "
                          "v0=bb399433a442b0bee1360db9648076244b58e0b96e652324a72e160626aa7de6"));
}

TEST(SigningProfileTest, GithubNamesEventAndDelivery) {
  EXPECT_THAT(
      sign("github", {"secret"}),
      ElementsAre("X-GitHub-Event: payment_intent.succeeded",
                  "X-GitHub-Delivery: evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                  "X-Hub-Signature-256: "
                  "sha256=efb0c610737d385923bef676e4b2e8ffb195ca59c8f64eeecb60eec188f21f02"));
}

TEST(SigningProfileTest, GithubMatchesItsDocumentationsOwnExample) {
  SigningInput input = kInput;
  input.body = "Hello, World!";
  EXPECT_EQ(sign("github", {"It's a Secret to Everybody"}, input).back(),
            "X-Hub-Signature-256: "
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(SigningProfileTest, NoneSignsNothingAndNeedsNoSecret) {
  EXPECT_THAT(sign("none", {}), ElementsAre());
}

TEST(SigningProfileTest, ZoomSignsLikeSlackUnderOtherNames) {
  EXPECT_THAT(sign("zoom", {"secret"}),
              ElementsAre("x-zm-request-timestamp: 1716792600",
                          "x-zm-signature: "
                          "v0=bb399433a442b0bee1360db9648076244b58e0b96e652324a72e160626aa7de6"));
}

TEST(SigningProfileTest, ShopifySignsTheBodyInBase64) {
  EXPECT_THAT(sign("shopify", {"secret"}),
              ElementsAre("X-Shopify-Topic: payment_intent.succeeded",
                          "X-Shopify-Webhook-Id: evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                          "X-Shopify-Hmac-Sha256: 77DGEHN9OFkjvvZ25LLo/7GVylnI9k7uy2DuwYjyHwI="));
}

TEST(SigningProfileTest, SquareSignsUrlAndBody) {
  EXPECT_THAT(
      sign("square", {"secret"}),
      ElementsAre("x-square-hmacsha256-signature: 0/E7tTWwfJCY8RSyfvHLnkgOw0NAsoKVcg96VuzLIJ0="));
}

TEST(SigningProfileTest, PaddleSignsTimeAndBody) {
  EXPECT_THAT(sign("paddle", {"secret"}),
              ElementsAre("Paddle-Signature: ts=1716792600;"
                          "h1=16bcc1c3b07441ae8807330bd0244504744389e3ca95655b8f0a73fbbdded509"));
}

// Computed with Python's hmac.
TEST(SigningProfileTest, AdyenDecodesItsKeyFromHex) {
  EXPECT_THAT(sign("adyen-platform", {"0123456789ABCDEF0123456789ABCDEF"}),
              ElementsAre("Protocol: HmacSHA256",
                          "HmacSignature: EQ2gd8JdOS2pnq6aZAVgdxrhuoqcYIZXsT0l7uFYzAg="));
}

// Only the URL is signed, and the body's digest stands in it: computed with Python's hmac.
TEST(SigningProfileTest, TwilioSignsTheUrlWithTheBodysDigest) {
  const Signer signer(signing_preset("twilio-json").value(), {SecretText("secret")});
  FakeRandom random;
  SigningTools tools(random);
  const std::string digest = "51174c2fbb105fb872aa926200150838d5839874f401b49388ac4f1fad1276bf";
  for (const auto& [registered, sent, signature] :
       {std::tuple{"https://example.com/webhook",
                   "https://example.com/webhook?bodySHA256=" + digest,
                   "YIEdwXXNuZaAFlTdNAxV+kW1wXs="},
        {"https://example.com/webhook?a=1", "https://example.com/webhook?a=1&bodySHA256=" + digest,
         "v3B0WLQ8nKq8kRTpHi2s/69UVgY="}}) {
    std::string url = registered;
    signer.append_query(url, kBody, tools);
    EXPECT_EQ(url, sent);
    SigningInput input = kInput;
    input.url = url;
    EXPECT_THAT(sign("twilio-json", {"secret"}, input),
                ElementsAre(std::string("X-Twilio-Signature: ") + signature));
  }
}

TEST(SigningProfileTest, OtherAlgorithmsAndDecodingsAgree) {
  // RFC 2202 and RFC 4231, case 1: key 0x0b twenty times, data "Hi There".
  SigningInput input = kInput;
  input.body = "Hi There";
  SigningProfile profile{.name = "rfc",
                         .algorithm = SignatureAlgorithm::hmac_sha1,
                         .secret_decoding = SecretDecoding::hex,
                         .content = "{body}",
                         .signature_header = "X-S",
                         .item = "{sig}"};
  EXPECT_THAT(sign(profile, {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"}, input),
              ElementsAre("X-S: b617318655057264e28bc0b6fb378c8ef146be00"));
  profile.algorithm = SignatureAlgorithm::hmac_sha512;
  profile.secret_decoding = SecretDecoding::base64;
  EXPECT_THAT(sign(profile, {"CwsLCwsLCwsLCwsLCwsLCwsLCws="}, input),
              ElementsAre("X-S: 87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                          "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"));
}

TEST(SigningProfileTest, HeaderTemplatesKnowTheAttempt) {
  SigningProfile profile = signing_preset("none").value();
  profile.headers = {{"X-Trace", "{id}/{event_type}/{attempt}/{idem}/{ts}"}};
  EXPECT_THAT(sign(profile, {}),
              ElementsAre("X-Trace: evt_01J7Z3A4B5C6D7E8F9G0H1J2KM/payment_intent.succeeded/3/"
                          "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1/1716792600"));
}

const std::string kNew = "whsec_" + std::string(40, 'N');
const std::string kOld = "whsec_" + std::string(40, 'O');

TEST(SigningRotationTest, ListsCarryOneSignaturePerSecretInOrder) {
  const std::string with_new = sign("stripe", {kNew}).front();
  const std::string with_old = sign("stripe", {kOld}).front();
  const std::string old_item = with_old.substr(with_old.find(",v1="));
  EXPECT_THAT(sign("stripe", {kNew, kOld}), ElementsAre(with_new + old_item));

  const std::string standard_new = sign("standard", {kNew}).back();
  const std::string standard_old = sign("standard", {kOld}).back();
  const std::string old_entry = " " + standard_old.substr(standard_old.find("v1,"));
  EXPECT_EQ(sign("standard", {kNew, kOld}).back(), standard_new + old_entry);
}

// What Stripe's library and the ItPay document's samples choke on: a space after a comma, upper
// case, a leading zero, padding.
TEST(SigningRotationTest, StripesListIsWrittenStrictly) {
  for (const char* preset : {"itpay", "stripe"}) {
    EXPECT_THAT(sign(preset, {kNew, kOld}).front(),
                testing::MatchesRegex("[A-Za-z-]+: t=[1-9][0-9]*,v1=[0-9a-f]{64},v1=[0-9a-f]{64}"));
  }
}

TEST(SigningRotationTest, ASingleSignatureIsMadeWithTheOldestSecret) {
  for (const char* preset :
       {"pandora", "engenius", "github", "shopify", "slack", "zoom", "square", "twilio-json"}) {
    EXPECT_EQ(sign(preset, {kNew, kOld}), sign(preset, {kOld})) << preset;
    EXPECT_NE(sign(preset, {kNew, kOld}), sign(preset, {kNew})) << preset;
  }
}

// "name: value" with another name.
std::string renamed(const std::string& line, const std::string& name) {
  return name + line.substr(line.find(": "));
}

TEST(SigningRotationTest, ANextHeaderCarriesTheSignatureThatTheOtherLeavesOut) {
  for (const char* preset : {"pandora", "github", "shopify", "slack", "square", "twilio-json"}) {
    SigningProfile profile = signing_preset(preset).value();
    profile.next_header = true;
    EXPECT_EQ(sign(profile, {kOld}), sign(preset, {kOld})) << "no grace, no header: " << preset;

    const auto both = sign(profile, {kNew, kOld});
    auto expected = sign(preset, {kOld});
    expected.push_back(renamed(sign(preset, {kNew}).back(), profile.signature_header + "-next"));
    EXPECT_EQ(both, expected) << preset;

    // The order in which the receiver wants them is turned round.
    const auto swapped = sign(profile, {kOld, kNew});
    expected = sign(preset, {kNew});
    expected.push_back(renamed(sign(preset, {kOld}).back(), profile.signature_header + "-next"));
    EXPECT_EQ(swapped, expected) << preset;
  }
}

TEST(SigningRotationTest, ANextHeaderNamesItsOwnKey) {
  SigningProfile profile = *signing_preset("github");
  profile.prefix = "k={kid},";
  profile.next_header = true;
  const auto lines = sign(profile, {kNew, kOld});
  EXPECT_THAT(lines[2], testing::HasSubstr(secret_fingerprint(SecretText(kOld))));
  EXPECT_THAT(lines[3], testing::HasSubstr(secret_fingerprint(SecretText(kNew))));
}

TEST(SignerErrorTest, ANextHeaderIsForOneSignatureInOneHeader) {
  for (const char* preset :
       {"stripe", "standard", "standard-both", "httpsig", "sealed-json", "none"}) {
    SigningProfile profile = *signing_preset(preset);
    profile.next_header = true;
    EXPECT_THAT(failure(profile, {kOld}), testing::StartsWith("next_header ")) << preset;
  }
}

TEST(SignerErrorTest, ANextHeaderMustNotMeetAnother) {
  SigningProfile profile = *signing_preset("github");
  profile.next_header = true;
  profile.headers.emplace_back("x-hub-signature-256-NEXT", "x");
  EXPECT_THAT(failure(profile, {kOld}), testing::HasSubstr("written twice"));
  profile.headers.pop_back();
  const Signer signer(profile, {SecretText(kOld)});
  EXPECT_TRUE(signer.writes_header("X-Hub-Signature-256-Next"));
  profile.next_header = false;
  EXPECT_FALSE(Signer(profile, {SecretText(kOld)}).writes_header("X-Hub-Signature-256-Next"));
}

TEST(SignerErrorTest, ASecretIsNeeded) {
  for (const std::string_view name : signing_preset_names()) {
    if (name == "none" || name == "sealed-json") continue;  // make no signature by themselves
    EXPECT_THAT(failure(*signing_preset(name), {}), testing::HasSubstr("secret")) << name;
    EXPECT_THAT(failure(*signing_preset(name), {""}), testing::HasSubstr("secret")) << name;
  }
}

TEST(SignerErrorTest, AnUndecodableSecretIsRefusedWithoutShowingIt) {
  const std::string secrets[] = {"whsec_not*base64",
                                 "whsec_c2hvcnQ=", "whsec_" + std::string(39, 'A'),
                                 "whsec_" + std::string(88, 'A'), "Whsec_" + std::string(40, 'A')};
  for (const std::string& secret : secrets) {
    const std::string error = failure(*signing_preset("standard"), {kNew, secret});
    EXPECT_THAT(error, testing::HasSubstr("whsec_ and the base64 of 24 to 64 bytes")) << secret;
    EXPECT_THAT(error, testing::Not(testing::HasSubstr(secret)));
  }
  SigningProfile hex = *signing_preset("github");
  hex.secret_decoding = SecretDecoding::hex;
  EXPECT_THAT(failure(hex, {"abc"}), testing::HasSubstr("hexadecimal"));
}

TEST(SignerErrorTest, StandardSecretsHave24To64Bytes) {
  EXPECT_EQ(failure(*signing_preset("standard"), {std::string(32, 'A')}), "");         // 24 bytes
  EXPECT_EQ(failure(*signing_preset("standard"), {std::string(86, 'A') + "=="}), "");  // 64 bytes
  EXPECT_NE(failure(*signing_preset("standard"), {std::string(28, 'A')}), "");
  EXPECT_NE(failure(*signing_preset("standard"), {std::string(88, 'A')}), "");
}

TEST(SignerErrorTest, BadTemplatesNameTheirField) {
  const auto with = [](auto change) {
    SigningProfile profile = *signing_preset("stripe");
    change(profile);
    return failure(profile, {"secret"});
  };
  using testing::StartsWith;
  EXPECT_THAT(with([](auto& p) { p.content = "{idem}.{body}"; }),
              StartsWith("content uses {idem}"));
  EXPECT_THAT(with([](auto& p) { p.content = "{sig}"; }), StartsWith("content uses {sig}"));
  EXPECT_THAT(with([](auto& p) { p.prefix = "t={body}"; }), StartsWith("prefix uses {body}"));
  EXPECT_THAT(with([](auto& p) { p.item = "v1={ts"; }), StartsWith("item has an unpaired brace"));
  EXPECT_THAT(with([](auto& p) { p.item = "v1=ts}"; }), StartsWith("item has an unpaired brace"));
  EXPECT_THAT(with([](auto& p) { p.item = "v1="; }), StartsWith("item does not contain"));
  EXPECT_THAT(with([](auto& p) { p.join = ",\r\nX-Evil: 1"; }), StartsWith("join contains"));
  EXPECT_THAT(with([](auto& p) { p.content = "\xC3\xA9{body}"; }), StartsWith("content contains"));
  EXPECT_THAT(with([](auto& p) { p.headers = {{"X-A", "{url}"}}; }), StartsWith("headers uses"));
}

TEST(SignerErrorTest, HeadersThatCannotBeSentAreRefused) {
  for (const char* name : {"", "X A", "X-A\r\n", "Host", "Content-Length", ":path"}) {
    SigningProfile profile = *signing_preset("stripe");
    profile.signature_header = name;
    EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("sig_header"));
    profile = *signing_preset("stripe");
    profile.headers = {{name, "x"}};
    EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("headers"));
  }
}

TEST(SignerErrorTest, HeadersThatTheSenderWritesItselfAreRefused) {
  for (const char* name : {"Content-Type", "idempotency-key", "User-Agent", "Webhook-Attempt"}) {
    SigningProfile profile = *signing_preset("stripe");
    profile.headers = {{name, "x"}};
    EXPECT_THAT(failure(profile, {"secret"}), testing::StartsWith("headers names")) << name;
  }
}

TEST(SignerErrorTest, WhatNoReceiverCouldVerifyIsRefused) {
  const auto with = [](auto change) {
    SigningProfile profile = *signing_preset("stripe");
    change(profile);
    return failure(profile, {"secret"});
  };
  using testing::StartsWith;
  EXPECT_THAT(with([](auto& p) { p.content = "{ts}.{id}"; }),
              StartsWith("content does not cover the body"));
  EXPECT_THAT(with([](auto& p) { p.content = "{url}"; }),
              StartsWith("content does not cover the body"));
  EXPECT_THAT(with([](auto& p) { p.prefix = "x,"; }), StartsWith("content signs {ts}"));
  EXPECT_THAT(with([](auto& p) { p.content = "{ts}{nonce}{body}"; }),
              StartsWith("content signs {nonce}"));
  EXPECT_THAT(with([](auto& p) { p.content = "{ts}{kid}{body}"; }),
              StartsWith("content signs {kid}"));
  EXPECT_THAT(with([](auto& p) { p.content = "{ts}{expires}{body}"; }),
              StartsWith("content signs {expires}"));
  EXPECT_THAT(with([](auto& p) { p.join = ""; }), StartsWith("join is empty"));
  EXPECT_THAT(with([](auto& p) { p.ed25519_item = "v1a"; }),
              StartsWith("ed25519_item does not contain"));
  EXPECT_EQ(with([](auto& p) { p.content = "{ts}.{body_sha256_hex}"; }), "");
  EXPECT_EQ(with([](auto& p) {
              p.prefix = "";
              p.headers = {{"X-Ts", "{ts}"}};
            }),
            "");
}

TEST(SignerErrorTest, HeadersThatWouldNotArriveAreFound) {
  const auto with = [](auto change) {
    SigningProfile profile = *signing_preset("stripe");
    change(profile);
    return unsendable_header(Signer(profile, {SecretText("a"), SecretText("b")})).value_or("");
  };
  using testing::StartsWith;
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& p) { p.max_header_value = 100; }), StartsWith("item makes the header"));
  EXPECT_THAT(with([](auto& p) { p.prefix = " t={ts},"; }), StartsWith("item makes a header"));
  EXPECT_THAT(with([](auto& p) {
                p.headers = {{"X-A", "a "}};
              }),
              StartsWith("headers makes a header X-A"));
  EXPECT_THAT(with([](auto& p) { p.headers = {{"X-A", ""}}; }), StartsWith("headers makes"));
}

TEST(SigningProfileTest, EveryPresetsHeadersCanBeSent) {
  FakeRandom random;
  for (const std::string_view name : signing_preset_names()) {
    const SigningProfile profile = signing_preset(name).value();
    const SecretText secret = new_signing_secret(profile, random);
    EXPECT_EQ(unsendable_header(Signer(profile, {secret, secret})).value_or(""), "") << name;
  }
}

TEST(SigningProfileTest, AUrlThatIsKnownBeforehandGivesTheSameHeaders) {
  FakeRandom random;
  SigningInput input = kInput;
  input.url = "HTTPS://Example.com:443/hooks?tenant=a";
  for (const std::string_view name : signing_preset_names()) {
    const SigningProfile profile = signing_preset(name).value();
    if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) continue;  // signs with a nonce
    const std::vector<std::string> secrets{
        std::string(new_signing_secret(profile, random).reveal())};
    EXPECT_EQ(sign(profile, secrets, input, input.url), sign(profile, secrets, input)) << name;
  }
}

TEST(SigningProfileDeathTest, ASignerThatWasMadeForAUrlSignsForNoOther) {
  EXPECT_DEATH(sign(signing_preset("square").value(), {"secret"}, kInput, "https://other.example/"),
               "another URL");
}

TEST(SigningProfileTest, TimestampsHaveTheirUnit) {
  SigningProfile profile = signing_preset("none").value();
  profile.headers = {{"X-T", "{ts} {expires}"}};
  EXPECT_THAT(sign(profile, {}), ElementsAre("X-T: 1716792600 1716792900"));
  profile.timestamp = TimestampUnit::ms;
  EXPECT_THAT(sign(profile, {}), ElementsAre("X-T: 1716792600789 1716792900789"));
  profile.timestamp = TimestampUnit::rfc3339;
  EXPECT_THAT(sign(profile, {}), ElementsAre("X-T: 2024-05-27T06:50:00Z 2024-05-27T06:55:00Z"));
}

TEST(SignerErrorTest, OneHeaderCannotBeWrittenTwice) {
  SigningProfile profile = *signing_preset("stripe");
  profile.headers = {{"stripe-SIGNATURE", "x"}};
  EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("written twice"));
  profile.headers = {{"X-A", "1"}, {"x-a", "2"}};
  EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("written twice"));
}

}  // namespace
}  // namespace sealpost
