#include "core/check_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/aead.h"
#include "base/bytes.h"
#include "core/sealed_json.h"
#include "core/webhook_request.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WallTime kNow{1716792600s};
const SecretText kSecret("whsec_" + std::string(40, 'S'));
const SecretText kPrivateKey(std::string(kBoxKeyBytes, 'k'));

ReceivedRequest received(const std::vector<Header>& headers, const std::string& body) {
  ReceivedRequest request{.headers = {}, .body = body};
  for (const Header& header : headers) {
    std::string name = header.name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = header.value;
  }
  return request;
}

// What arrives when Sealpost sends, encrypted for the holder of kPrivateKey or not.
ReceivedRequest sent(bool encrypted) {
  Endpoint endpoint;
  endpoint.settings.signing_profile = "itpay";
  endpoint.settings.envelope = Envelope::itpay;
  endpoint.settings.encryption.enabled = encrypted;
  endpoint.encryption_keys = {
      encryption_key(EncryptionKeyId("whk_1"), box_public_key(kPrivateKey))};
  endpoint.secrets = {kSecret};
  LeasedDelivery delivery;
  delivery.event =
      std::make_shared<const Event>(Event{.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
                                          .tenant = "acme",
                                          .type = "invoice.paid",
                                          .payload = R"({"amount":50000})",
                                          .payload_is_json = true,
                                          .content_type = "application/json",
                                          .ordering_key = "",
                                          .created_at = kNow});
  FakeRandom random;
  const auto built = RequestBuilder(random).build(delivery, *prepare(endpoint), kNow);
  const auto& request = std::get<HttpRequest>(built);
  return received(request.headers, request.body);
}

CheckedRequest check(const ReceivedRequest& request,
                     const std::optional<SecretText>& private_key = std::nullopt) {
  return check_request(request, kSecret, private_key, kNow);
}

TEST(CheckRequestTest, APlainRequestIsVerifiedAsEver) {
  const CheckedRequest checked = check(sent(false), kPrivateKey);
  EXPECT_TRUE(checked.verification.verified) << checked.verification.problem;
  EXPECT_EQ(checked.verification.error, std::nullopt);
  EXPECT_EQ(checked.verification.event_type, "invoice.paid");
  EXPECT_FALSE(checked.encrypted);
  EXPECT_FALSE(checked.text.has_value());
}

TEST(CheckRequestTest, ABoxIsOpenedWithItsKey) {
  const CheckedRequest checked = check(sent(true), kPrivateKey);
  EXPECT_TRUE(checked.verification.verified) << checked.verification.problem;
  EXPECT_TRUE(checked.encrypted);
  ASSERT_TRUE(checked.text.has_value());
  EXPECT_THAT(std::string(checked.text->reveal()), HasSubstr(R"("amount":50000)"));
  EXPECT_EQ(checked.verification.event_type, "invoice.paid") << "it stands in the box only";
}

TEST(CheckRequestTest, WithoutAKeyTheSignatureStillVerifies) {
  const CheckedRequest checked = check(sent(true));
  EXPECT_TRUE(checked.verification.verified) << checked.verification.problem;
  EXPECT_TRUE(checked.encrypted);
  EXPECT_FALSE(checked.text.has_value());
  EXPECT_THAT(checked.not_opened, HasSubstr("no private key"));
}

TEST(CheckRequestTest, AnotherKeyDoesNotVerify) {
  const CheckedRequest checked = check(sent(true), SecretText(std::string(kBoxKeyBytes, 'x')));
  EXPECT_FALSE(checked.verification.verified);
  EXPECT_EQ(checked.verification.error, ReceiverErrorCode::webhook_decryption_failed);
  EXPECT_THAT(checked.verification.problem, HasSubstr("other keys"));
}

TEST(CheckRequestTest, AWrongSignatureIsTheErrorWhateverIsInTheBox) {
  ReceivedRequest request = sent(true);
  request.body += ' ';
  for (const auto& key : {kPrivateKey, SecretText(std::string(kBoxKeyBytes, 'x'))}) {
    const CheckedRequest checked = check(request, key);
    EXPECT_EQ(checked.verification.error, ReceiverErrorCode::webhook_signature_invalid);
  }
}

TEST(CheckRequestTest, APlainBodyBehindAHeaderThatNamesABoxIsRefused) {
  ReceivedRequest request = sent(false);
  request.headers["webhook-signature"] += ",enc=body";
  EXPECT_FALSE(check(request, kPrivateKey).verification.verified);
}

class CheckSealedTest : public testing::Test {
 protected:
  CheckSealedTest() {
    FakeRandom random;
    const SealedRequest made =
        seal_json(root_, "we_1.1", "application/json", R"({"type":"invoice.paid"})", kNow, random);
    request_ = received(made.headers, made.body);
  }
  CheckedRequest result(const SecretText& secret, WallTime now = kNow) {
    return check_request(request_, secret, std::nullopt, now);
  }

  std::string signature_of_body() {
    const std::string& ts = request_.headers["x-roboflux-timestamp"];
    const std::string& nonce = request_.headers["x-roboflux-nonce"];
    const auto sid = base64url_decode(request_.headers["x-roboflux-session"]).value();
    const SecretText key = hkdf_sha512(root_, sid, "wh-sealed-json-v1|mac", 64);
    const std::array<std::string_view, 5> content{ts, ".", nonce, ".", request_.body};
    std::string mac;
    HmacKey(HmacAlgorithm::sha512, key.reveal()).sign(content, mac);
    return "v1=" + hex_encode(mac);
  }

  const SecretText root_{std::string(kSealedJsonRootBytes, 'r')};
  const SecretText secret_ = encode_sealed_json_secret(root_);
  ReceivedRequest request_;
};

TEST_F(CheckSealedTest, IsOpenedWithTheSecret) {
  request_.headers["webhook-id"] = "evt_1";
  const CheckedRequest checked = result(secret_);
  EXPECT_TRUE(checked.verification.verified) << checked.verification.problem;
  EXPECT_EQ(checked.verification.profile, "sealed-json");
  EXPECT_EQ(checked.verification.event_id, "evt_1");
  EXPECT_EQ(checked.verification.event_type, "invoice.paid");
  EXPECT_TRUE(checked.encrypted);
}

TEST_F(CheckSealedTest, TellsABadSignatureFromAPacketThatDoesNotOpen) {
  const auto error = [this] { return result(secret_).verification.error; };
  EXPECT_EQ(error(), std::nullopt);
  EXPECT_EQ(result(kSecret).verification.error, ReceiverErrorCode::webhook_signature_invalid);
  EXPECT_EQ(result(secret_, kNow + 301s).verification.error,
            ReceiverErrorCode::webhook_signature_invalid);
  // Signed anew by somebody who has the secret, so that only the packet is wrong.
  request_.body = "{}";
  request_.headers["x-roboflux-signature"] = signature_of_body();
  EXPECT_EQ(error(), ReceiverErrorCode::webhook_decryption_failed);
  EXPECT_THAT(result(secret_).not_opened, HasSubstr("JWE"));
  request_.headers["x-roboflux-signature"] = "v1=00";
  EXPECT_EQ(error(), ReceiverErrorCode::webhook_signature_invalid);
}

TEST_F(CheckSealedTest, SaysWhyNot) {
  EXPECT_THAT(result(secret_, kNow + 301s).verification.problem, HasSubstr("301 s in the past"));
  EXPECT_THAT(result(kSecret).verification.problem, HasSubstr("rfsec_"));
  const SecretText other = encode_sealed_json_secret(SecretText(std::string(64, 'x')));
  EXPECT_THAT(result(other).verification.problem, HasSubstr("no signature matches"));
  request_.headers["x-roboflux-timestamp"] = "soon";
  EXPECT_THAT(result(secret_).verification.problem, HasSubstr("not a number"));
}

}  // namespace
}  // namespace sealpost
