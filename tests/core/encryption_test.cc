// Encrypted bodies, and the requests that carry them.
#include "core/encryption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/bytes.h"
#include "core/limits.h"
#include "core/signing_secret.h"
#include "core/webhook_request.h"
#include "tests/support/fake_random.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const WallTime kNow{1716792600s};
const SecretText kOldPrivate(byte_range(0x01, 0x20));
const SecretText kNewPrivate(byte_range(0x02, 0x21));

EncryptionKey key_of(const std::string& id, const SecretText& private_key) {
  return encryption_key(EncryptionKeyId(id), box_public_key(private_key));
}
const EncryptionKey kOldKey = key_of("whk_old", kOldPrivate);
const EncryptionKey kNewKey = key_of("whk_new", kNewPrivate);

std::string opened(const std::string& base64, const SecretText& private_key) {
  const auto text = open_box(base64_decode(base64).value_or(""), private_key);
  return text ? std::string(text->reveal()) : "(refused)";
}

TEST(EncryptionTest, MakesThePublishedBody) {
  ScriptedRandom random(byte_range(0x41, 0x60) + byte_range(0x00, 0x17));
  BodyEncryptor encryptor(random);
  const EncryptedBody body = encryptor.encrypt(R"({"a":1})", BodyKind::json, {}, {{kOldKey}}, kNow);
  EXPECT_EQ(
      body.ciphertext,
      "ZLEBsdC+WocEvQePmJUAH8A+jp+VIvGI3RKNmEbUhGYAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhdiM5OOlt1Ccupi"
      "LHRQ9uKA5OmIOUvLeELD");
  EXPECT_EQ(body.json,
            R"({"encrypted":true,"key_fingerprint":)"
            R"("ef1f7d8ef0ab699b890076ef20201662cde62fccd4571b98c263d73c2d1d574f","ciphertext":")" +
                body.ciphertext + R"(","hmac_key_id":"whk_old"})");
}

TEST(EncryptionTest, SeveralKeysAreAllRecipientsAndTheFirstIsPrimary) {
  FakeRandom random;
  BodyEncryptor encryptor(random);
  const EncryptionKey keys[] = {kOldKey, kNewKey};
  const json body =
      json::parse(encryptor.encrypt(R"({"a":12})", BodyKind::json, {}, keys, kNow).json);
  EXPECT_EQ(body.at("hmac_key_id"), "whk_old");
  EXPECT_EQ(opened(body.at("ciphertext"), kOldPrivate), R"({"a":12} )");
  ASSERT_EQ(body.at("recipients").size(), 2U);
  EXPECT_EQ(body.at("recipients")[0], json({{"key_fingerprint", kOldKey.fingerprint},
                                            {"hmac_key_id", "whk_old"},
                                            {"ciphertext", body.at("ciphertext")}}));
  EXPECT_EQ(body.at("recipients")[1].at("key_fingerprint"), kNewKey.fingerprint);
  EXPECT_EQ(opened(body.at("recipients")[1].at("ciphertext"), kNewPrivate), R"({"a":12} )");
}

TEST(EncryptionTest, JsonIsNeverPaddedInBase64) {
  FakeRandom random;
  BodyEncryptor encryptor(random);
  for (std::size_t size = 0; size < 10; ++size) {
    const std::string text = '"' + std::string(size, 'x') + '"';
    const EncryptedBody body = encryptor.encrypt(text, BodyKind::json, {}, {{kOldKey}}, kNow);
    EXPECT_THAT(body.ciphertext, Not(HasSubstr("=")));
    EXPECT_EQ(json::parse(opened(body.ciphertext, kOldPrivate)), json::parse(text));
  }
}

TEST(EncryptionTest, OtherBodiesAreNotTouched) {
  FakeRandom random;
  BodyEncryptor encryptor(random);
  const bool all = rc::check("any bytes come back", [&](const std::string& bytes) {
    const EncryptedBody body = encryptor.encrypt(bytes, BodyKind::other, {}, {{kOldKey}}, kNow);
    RC_ASSERT(opened(body.ciphertext, kOldPrivate) == bytes);
  });
  EXPECT_TRUE(all);
}

// The ephemeral public key is the first third of a box's base64, roughly.
std::string ephemeral_of(const EncryptedBody& body) { return body.ciphertext.substr(0, 42); }

TEST(EncryptionTest, EveryBodyHasItsOwnEphemeralKey) {
  FakeRandom random;
  BodyEncryptor encryptor(random);
  const auto first = encryptor.encrypt("1", BodyKind::json, {}, {{kOldKey}}, kNow);
  const auto second = encryptor.encrypt("1", BodyKind::json, {}, {{kOldKey}}, kNow);
  EXPECT_NE(ephemeral_of(first), ephemeral_of(second));
}

TEST(EncryptionTest, ReuseIsBoundedInTime) {
  FakeRandom random;
  BodyEncryptor encryptor(random);
  const EncryptionSettings reuse{.enabled = true, .reuse_ephemeral_keys = true};
  const auto at = [&](WallTime now) {
    return encryptor.encrypt("1", BodyKind::json, reuse, {{kOldKey}}, now);
  };
  const EncryptedBody first = at(kNow), same = at(kNow + 59s), later = at(kNow + 60s);
  EXPECT_EQ(ephemeral_of(first), ephemeral_of(same));
  EXPECT_NE(first.ciphertext, same.ciphertext) << "the nonce is fresh";
  EXPECT_NE(ephemeral_of(first), ephemeral_of(later));
  EXPECT_EQ(opened(same.ciphertext, kOldPrivate), "1  ");
  EXPECT_NE(ephemeral_of(at(kNow - 1s)), ephemeral_of(later)) << "the clock was set back";
}

TEST(EncryptionTest, ReuseIsBoundedInNumber) {
  FakeRandom random;
  BodyEncryptor encryptor(random);
  const EncryptionSettings reuse{.enabled = true, .reuse_ephemeral_keys = true};
  const auto next = [&] {
    return ephemeral_of(encryptor.encrypt("1", BodyKind::json, reuse, {{kOldKey}}, kNow));
  };
  const std::string first = next();
  for (int i = 1; i < 65'536; ++i) ASSERT_EQ(next(), first) << i;
  EXPECT_NE(next(), first);
}

TEST(EncComponentTest, CarriesTheBoxOrTheWordBody) {
  const std::string brief(kMaxAutomaticEnc, 'A'), lengthy(kMaxAutomaticEnc + 1, 'A'),
      endless(kMaxFullEnc + 1, 'A');
  EXPECT_EQ(enc_component(EncHeader::automatic, BodyKind::json, brief), brief);
  EXPECT_EQ(enc_component(EncHeader::automatic, BodyKind::json, lengthy), "body");
  EXPECT_EQ(enc_component(EncHeader::automatic, BodyKind::json, endless), "body");
  EXPECT_EQ(enc_component(EncHeader::full, BodyKind::json, lengthy), lengthy);
  EXPECT_EQ(enc_component(EncHeader::full, BodyKind::json, endless), std::nullopt);
  EXPECT_EQ(enc_component(EncHeader::body, BodyKind::json, brief), "body");
  for (const EncHeader rule : {EncHeader::automatic, EncHeader::full, EncHeader::body}) {
    EXPECT_EQ(enc_component(rule, BodyKind::other, "AA=="), "body") << "it may be padded";
  }
}

// --------------------------------------------------------------------------------- whole requests

class EncryptedRequestTest : public testing::Test {
 protected:
  EncryptedRequestTest() {
    endpoint_.settings.url = "https://example.com/webhook";
    endpoint_.settings.signing_profile = "itpay";
    endpoint_.settings.envelope = Envelope::itpay;
    endpoint_.settings.encryption.enabled = true;
    endpoint_.secrets.emplace_back("whsec_abc123def456");
    endpoint_.encryption_keys = {kOldKey};
    event_.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM");
    event_.type = "payment_intent.succeeded";
    event_.payload = R"({"amount":50000})";
    event_.payload_is_json = true;
    event_.content_type = "application/json";
    event_.created_at = kNow;
  }

  std::variant<HttpRequest, FailureReason> build() {
    LeasedDelivery delivery;
    delivery.event = std::make_shared<const Event>(event_);
    return builder_.build(delivery, *prepare(endpoint_), kNow);
  }
  HttpRequest request() { return std::get<HttpRequest>(build()); }

  static std::string header(const HttpRequest& request, const std::string& name) {
    for (const Header& header : request.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }

  Endpoint endpoint_;
  Event event_;
  FakeRandom random_;
  RequestBuilder builder_{random_};
};

TEST_F(EncryptedRequestTest, TheSignatureIsOverTheEncryptedBodyAndNamesTheBox) {
  const HttpRequest made = request();
  const std::string signature = header(made, "Webhook-Signature");
  const std::string box = json::parse(made.body).at("ciphertext");
  std::string mac;
  const std::string_view pieces[] = {"1716792600.", made.body};
  HmacKey(HmacAlgorithm::sha256, "whsec_abc123def456").sign(pieces, mac);
  EXPECT_EQ(signature, "t=1716792600,v1=" + hex_encode(mac) + ",enc=" + box);
  EXPECT_EQ(header(made, "Content-Type"), "application/json");
  const json plain = json::parse(opened(box, kOldPrivate));
  EXPECT_EQ(plain.at("id"), "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM");
  EXPECT_EQ(plain.at("data").at("object"), json({{"amount", 50000}}));
}

TEST_F(EncryptedRequestTest, ThePayloadIsNowhereInPlainText) {
  event_.payload = R"({"card":"canary-4242"})";
  const HttpRequest made = request();
  EXPECT_THAT(made.body, Not(HasSubstr("canary")));
  for (const Header& header : made.headers) EXPECT_THAT(header.value, Not(HasSubstr("canary")));
}

TEST_F(EncryptedRequestTest, ALongBoxStandsOnlyInTheBody) {
  event_.payload = '"' + std::string(4000, 'x') + '"';
  EXPECT_THAT(header(request(), "Webhook-Signature"), EndsWith(",enc=body"));
  endpoint_.settings.encryption.enc_header = EncHeader::full;
  EXPECT_GT(header(request(), "Webhook-Signature").size(), 5000U);
  event_.payload = '"' + std::string(6000, 'x') + '"';
  EXPECT_EQ(std::get<FailureReason>(build()), FailureReason::payload_refused);
  endpoint_.settings.encryption.enc_header = EncHeader::body;
  EXPECT_THAT(header(request(), "Webhook-Signature"), EndsWith(",enc=body"));
}

TEST_F(EncryptedRequestTest, EveryProfileCarriesEncryptedBodies) {
  for (const std::string_view name : signing_preset_names()) {
    if (name == "sealed-json") continue;  // encrypts by itself
    endpoint_.settings.signing_profile = name;
    FakeRandom random;
    endpoint_.secrets = {new_signing_secret(signing_preset(name).value(), random)};
    const HttpRequest made = request();
    EXPECT_TRUE(json::parse(made.body).at("encrypted")) << name;
    for (const Header& header : made.headers) {
      const bool names_it = header.value.find("enc=") != std::string::npos;
      EXPECT_EQ(names_it, header.name == "Webhook-Signature" || header.name == "Stripe-Signature")
          << name << " " << header.name;
      if (name == "standard") break;
    }
  }
}

TEST_F(EncryptedRequestTest, BinaryPayloadsAreEncryptedAsTheyAre) {
  endpoint_.settings.signing_profile = "github";
  endpoint_.settings.envelope = Envelope::raw;
  event_.payload = std::string("\x00\xff\x7f", 3) + "!";
  event_.payload_is_json = false;
  event_.content_type = "application/x-protobuf";
  const HttpRequest made = request();
  EXPECT_EQ(header(made, "Content-Type"), "application/json");
  EXPECT_EQ(opened(json::parse(made.body).at("ciphertext"), kOldPrivate), event_.payload);
}

TEST_F(EncryptedRequestTest, NothingIsSentWithoutAUsableKey) {
  endpoint_.encryption_keys.clear();
  EXPECT_THROW(prepare(endpoint_), std::invalid_argument);
  endpoint_.encryption_keys = {encryption_key(EncryptionKeyId("whk_1"), std::string(32, '\0'))};
  EXPECT_THROW(prepare(endpoint_), std::invalid_argument);
}

TEST_F(EncryptedRequestTest, KeysOfAnEndpointWithoutEncryptionAreNotUsed) {
  endpoint_.settings.encryption.enabled = false;
  EXPECT_THAT(request().body, HasSubstr("50000"));
  EXPECT_THAT(header(request(), "Webhook-Signature"), Not(HasSubstr("enc=")));
}

}  // namespace
}  // namespace sealpost
