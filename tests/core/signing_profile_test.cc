// Expected signatures were computed with the senders' own published libraries and Python's hmac,
// not with this code; two come from the documents themselves (GitHub, Standard Webhooks).
#include "core/signing_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using testing::ElementsAre;

constexpr std::string_view kId = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM";
constexpr std::string_view kBody =
    R"({"id":"evt_01J7Z3A4B5C6D7E8F9G0H1J2KM","type":"payment_intent.succeeded",)"
    R"("data":{"object":{"id":"pi_1","amount":50000,"status":"succeeded"}},"created":1716792600})";
constexpr long long kTime = 1716792600;

const SigningInput kInput{.message_id = kId,
                          .event_type = "payment_intent.succeeded",
                          .idempotency_key = "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
                          .url = "https://example.com/webhook",
                          .body = kBody,
                          .timestamp_seconds = kTime,
                          .attempt_number = 3};

// "name: value" of every header that the signer writes.
std::vector<std::string> sign(const SigningProfile& profile,
                              const std::vector<std::string>& secrets,
                              const SigningInput& input = kInput) {
  std::vector<SecretText> texts;
  for (const std::string& secret : secrets) texts.emplace_back(secret);
  const Signer signer(profile, texts);
  Hmac hmac(profile.algorithm.value_or(HmacAlgorithm::sha256));
  std::vector<Header> headers;
  signer.sign(input, hmac, headers);
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
              ElementsAre("standard", "itpay", "stripe", "pandora", "engenius", "github", "slack",
                          "sealed-json", "none"));
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
                           .body = R"({"test": 2432232314})",
                           .timestamp_seconds = 1614265330};
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

TEST(SigningProfileTest, OtherDialectsAreOnlyData) {
  SigningProfile shopify{.name = "shopify",
                         .algorithm = HmacAlgorithm::sha256,
                         .content = "{body}",
                         .encoding = SignatureEncoding::base64,
                         .signature_header = "X-Shopify-Hmac-Sha256",
                         .item = "{sig}"};
  EXPECT_THAT(sign(shopify, {"secret"}),
              ElementsAre("X-Shopify-Hmac-Sha256: 77DGEHN9OFkjvvZ25LLo/7GVylnI9k7uy2DuwYjyHwI="));

  SigningProfile square = shopify;
  square.content = "{url}{body}";
  square.signature_header = "x-square-hmacsha256-signature";
  EXPECT_THAT(
      sign(square, {"secret"}),
      ElementsAre("x-square-hmacsha256-signature: 0/E7tTWwfJCY8RSyfvHLnkgOw0NAsoKVcg96VuzLIJ0="));

  SigningProfile paddle{.name = "paddle",
                        .algorithm = HmacAlgorithm::sha256,
                        .content = "{ts}:{body}",
                        .signature_header = "Paddle-Signature",
                        .prefix = "ts={ts};",
                        .item = "h1={sig}",
                        .join = ";",
                        .many_signatures = true};
  EXPECT_THAT(sign(paddle, {"secret"}),
              ElementsAre("Paddle-Signature: ts=1716792600;"
                          "h1=16bcc1c3b07441ae8807330bd0244504744389e3ca95655b8f0a73fbbdded509"));
}

TEST(SigningProfileTest, OtherAlgorithmsAndDecodingsAgree) {
  // RFC 2202 and RFC 4231, case 1: key 0x0b twenty times, data "Hi There".
  SigningInput input = kInput;
  input.body = "Hi There";
  SigningProfile profile{.name = "rfc",
                         .algorithm = HmacAlgorithm::sha1,
                         .secret_decoding = SecretDecoding::hex,
                         .content = "{body}",
                         .signature_header = "X-S",
                         .item = "{sig}"};
  EXPECT_THAT(sign(profile, {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"}, input),
              ElementsAre("X-S: b617318655057264e28bc0b6fb378c8ef146be00"));
  profile.algorithm = HmacAlgorithm::sha512;
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

TEST(SigningRotationTest, ASingleSignatureIsMadeWithTheOldestSecret) {
  for (const char* preset : {"pandora", "engenius", "github", "slack"}) {
    EXPECT_EQ(sign(preset, {kNew, kOld}), sign(preset, {kOld})) << preset;
    EXPECT_NE(sign(preset, {kNew, kOld}), sign(preset, {kNew})) << preset;
  }
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
  EXPECT_THAT(with([](auto& p) { p.content = "{nonce}.{body}"; }),
              StartsWith("content uses {nonce}"));
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
    EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("signature_header"));
    profile = *signing_preset("stripe");
    profile.headers = {{name, "x"}};
    EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("headers"));
  }
}

TEST(SignerErrorTest, OneHeaderCannotBeWrittenTwice) {
  SigningProfile profile = *signing_preset("stripe");
  profile.headers = {{"stripe-SIGNATURE", "x"}};
  EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("written twice"));
  profile.headers = {{"X-A", "1"}, {"x-a", "2"}};
  EXPECT_THAT(failure(profile, {"secret"}), testing::HasSubstr("written twice"));
}

TEST(SigningSecretTest, IsValidAsTextAndAsBase64) {
  FakeRandom random(7);
  const SecretText secret = new_signing_secret(random);
  EXPECT_THAT(std::string(secret.reveal()), testing::MatchesRegex("whsec_[A-Za-z0-9]{40}"));
  EXPECT_EQ(decode_secret(secret, SecretDecoding::whsec_base64)->size(), 30u);
  EXPECT_NE(new_signing_secret(random).reveal(), secret.reveal());
}

TEST(SigningSecretTest, NeverContainsCharactersThatBreakADoubleClick) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    FakeRandom random(seed);
    EXPECT_EQ(new_signing_secret(random).reveal().find_first_of("+/="), std::string_view::npos);
  }
}

TEST(SigningSecretTest, FingerprintIsTheStartOfSha256) {
  // printf whsec_abc123def456 | sha256sum
  EXPECT_EQ(secret_fingerprint(SecretText("whsec_abc123def456")), "ef0a30bc7a54256e");
}

}  // namespace
}  // namespace sealpost
