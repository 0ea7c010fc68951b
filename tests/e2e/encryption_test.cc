// Encrypted bodies, from the registration of a key to the receiver that opens them.
#include <gtest/gtest.h>

#include "base/box.h"
#include "base/bytes.h"
#include "core/check_request.h"
#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 20s;
const SecretText kOldPrivate(std::string(kBoxKeyBytes, 'o'));
const SecretText kNewPrivate(std::string(kBoxKeyBytes, 'n'));
const std::string kKeys = "/v1/merchant/webhook-keys";

Json public_key(const SecretText& private_key) {
  return {{"public_key", base64_encode(box_public_key(private_key))}};
}

class EncryptionE2eTest : public ::testing::Test {
 protected:
  EncryptionE2eTest() : serve_(installation_.start("serve")), api_(installation_.api(*serve_)) {}

  // Inserts an event and returns its request.
  LedgerEntry deliver() {
    const std::size_t before = receiver_.requests();
    installation_.insert({});
    EXPECT_TRUE(receiver_.wait_for_requests(before + 1, kPatience)) << serve_->errors();
    return receiver_.ledger().entries().back();
  }
  // What the receiver makes of it with this key.
  static CheckedRequest opened(const LedgerEntry& request, const std::string& secret,
                               const SecretText& private_key) {
    return check_request({.headers = request.headers, .body = request.body}, SecretText(secret),
                         private_key, SystemClock().wall_now());
  }

  Installation installation_;
  Receiver receiver_;
  std::unique_ptr<SealpostProcess> serve_;
  ApiClient api_;
};

TEST_F(EncryptionE2eTest, AReceiverChangesItsKeyWithoutMissingAnEvent) {
  const Json old_key = api_.make(kKeys, public_key(kOldPrivate));
  const Json endpoint =
      api_.make("/v1/webhook-endpoints",
                endpoint_body(receiver_.url("/a"),
                              {{"signing", "itpay"}, {"encryption", {{"enabled", true}}}}));
  const std::string secret = endpoint.at("secret");
  EXPECT_EQ(endpoint.at("encryption").at("public_key_fingerprint"), old_key.at("fingerprint"));

  const LedgerEntry first = deliver();
  EXPECT_EQ(Json::parse(first.body).at("hmac_key_id"), old_key.at("id"));
  const CheckedRequest plain = opened(first, secret, kOldPrivate);
  ASSERT_TRUE(plain.verification.verified && plain.text) << plain.verification.problem;
  EXPECT_EQ(Json::parse(plain.text->reveal()).at("type"), "invoice.paid");
  EXPECT_FALSE(opened(first, secret, kNewPrivate).verification.verified);

  // Both keys open what comes once the running dispatcher has seen the new one.
  const Json new_key = api_.make(kKeys, public_key(kNewPrivate));
  LedgerEntry both;
  ASSERT_TRUE(eventually(kPatience, [&] {
    both = deliver();
    return Json::parse(both.body).contains("recipients");
  }));
  EXPECT_EQ(Json::parse(both.body).at("hmac_key_id"), old_key.at("id")) << "the oldest is primary";
  EXPECT_TRUE(opened(both, secret, kOldPrivate).verification.verified);
  EXPECT_TRUE(opened(both, secret, kNewPrivate).verification.verified);

  EXPECT_EQ(api_.remove(kKeys + "/old").body.at("deleted").at(0), old_key.at("id"));
  ASSERT_TRUE(eventually(kPatience, [&] {
    return Json::parse(deliver().body).at("hmac_key_id") == new_key.at("id");
  }));
  EXPECT_EQ(api_.remove(kKeys + "/" + new_key.at("id").get<std::string>()).status, 409);
}

Answer packet(const std::string& body) {
  return {.headers = {{"Content-Type", "application/jose+json"}}, .body = body};
}

TEST_F(EncryptionE2eTest, AnAnswerThatDoesNotOpenFailsOnlyWhereOneIsRequired) {
  receiver_.on("/easy", {packet("{}")});
  receiver_.on("/strict", {{.status = 200}, packet("{}"), {.status = 204}});
  for (const bool strict : {false, true}) {
    Json body =
        endpoint_body(receiver_.url(strict ? "/strict" : "/easy"), quick_retry({0.01, 0.01}));
    body["signing"] = "sealed-json";
    body["require_encrypted_response"] = strict;
    api_.make("/v1/webhook-endpoints", body);
  }
  installation_.insert({});
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve_->errors();
  const auto problems_of = [&](const std::string& state) {
    const Json deliveries = api_.read_all("/v1/deliveries?state=" + state);
    EXPECT_EQ(1U, deliveries.size()) << state;
    const std::string id = deliveries.at(0).at("id");
    const Json delivery = api_.get("/v1/deliveries/" + id).body;
    EXPECT_EQ(nullptr, delivery.at("response_payload"));
    Json problems = Json::array();
    for (const Json& attempt : delivery.at("attempts")) {
      problems.push_back(attempt.at("response_decrypt_failed"));
    }
    return problems;
  };
  EXPECT_EQ(Json::array({"malformed"}), problems_of("delivered"));
  EXPECT_EQ(Json::array({"missing", "malformed", "missing"}), problems_of("failed"));
}

}  // namespace
}  // namespace sealpost
