// How Sealpost signs, judged by libraries and sample receivers that we did not write, and by the
// code of docs/RECEIVERS.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "base/bytes.h"
#include "tests/interop/interop_fixture.h"

namespace sealpost {
namespace {

const std::vector<Case> kCases{
    {"standard", "standardwebhooks"},
    {"standard", "svix"},
    {"itpay", "stripe"},
    {"itpay", "itpay_sample", Language::python},
    {"itpay", "itpay_signature_sample", Language::python, false},
    {"stripe", "stripe"},
    {"pandora", "pandora_sample"},
    {"engenius", "engenius", Language::python, false},
    {"github", "octokit", Language::node, false},
    {"slack", "bolt"},
    {"standard-asymmetric", "v1a", Language::node, true, Key::public_key},
    {"standard-both", "v1a", Language::node, true, Key::public_key},
    {"standard-both", "standardwebhooks"},
    {"square", "square", Language::node, false},
    {"twilio-json", "twilio", Language::node, false},
    {"adyen-platform", "adyen", Language::node, false},
    {"paddle", "paddle"},
    {"httpsig", "http_message_signatures", Language::node, true, Key::public_key},
    {"httpsig-p256", "http_message_signatures", Language::node, true, Key::public_key},
    {"httpsig-hmac", "http_message_signatures"},
    // The code of docs/RECEIVERS.md.
    {"standard", "guide_node"},
    {"itpay", "guide_node"},
    {"stripe", "guide_node"},
    {"pandora", "guide_node"},
    {"engenius", "guide_node"},
    {"github", "guide_node", Language::node, false},
    {"slack", "guide_node"},
    {"standard", "guide_python", Language::python},
    {"itpay", "guide_python", Language::python},
    {"stripe", "guide_python", Language::python},
    {"pandora", "guide_python", Language::python},
    {"engenius", "guide_python", Language::python},
    {"github", "guide_python", Language::python, false},
    {"slack", "guide_python", Language::python},
    {"standard-asymmetric", "guide_python", Language::python, true, Key::public_key},
    {"shopify", "guide_python", Language::python, false},
    {"zoom", "guide_python", Language::python},
    {"square", "guide_python", Language::python, false},
    {"twilio-json", "guide_python", Language::python, false},
    {"adyen-platform", "guide_python", Language::python, false},
    {"paddle", "guide_python", Language::python},
    {"standard", "guide_cc"},
    {"itpay", "guide_cc"},
#ifdef SEALPOST_HAS_GO
    {"standard", "guide_go"},
    {"itpay", "guide_go"},
#endif
};

std::string body_of(const Json& verdict) {
  return base64_decode(verdict.at("body").get<std::string>()).value_or("");
}

class ProfileInteropTest : public InteropTest, public ::testing::WithParamInterface<Case> {};

TEST_P(ProfileInteropTest, IsAcceptedAsItIsAndRefusedWhenChanged) {
  const Case& one = GetParam();
  const std::string path = "/" + name_of(one);
  create_endpoint(path, one);
  std::vector<std::string> waiting = kPayloads;
  for (const std::string& payload : waiting) insert(payload);
  for (const Json& verdict : courtroom_->judge(one.language).verdicts(path, waiting.size())) {
    expect_good(verdict, one);
    const std::string body = body_of(verdict);
    const auto payload = std::find_if(waiting.begin(), waiting.end(), [&](const std::string& p) {
      return body.find(p) != std::string::npos;
    });
    ASSERT_NE(waiting.end(), payload) << "no payload is in there byte for byte: " << body;
    waiting.erase(payload);
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, ProfileInteropTest, ::testing::ValuesIn(kCases),
                         [](const auto& test) {
                           std::string name = name_of(test.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_F(InteropTest, StandardBodiesAreWhatStandardWebhooksRecommends) {
  const Case one{"standard", "standardwebhooks"};
  create_endpoint("/standard-body", one);
  const std::string id = insert(kPayloads.front());
  const Json verdict = courtroom_->node.verdicts("/standard-body", 1).front();
  EXPECT_EQ(id, verdict.at("headers").at("webhook-id"));
  EXPECT_EQ("payment_intent.succeeded", verdict.at("event").at("type"));
  EXPECT_TRUE(verdict.at("event").contains("timestamp"));
  EXPECT_EQ(Json::parse(kPayloads.front()), verdict.at("event").at("data"));
}

// The document shows Idempotency-Key and body of a delivery.
TEST_F(InteropTest, ItpayRequestsLookAsInTheDocument) {
  const Case one{"itpay", "itpay_sample", Language::python};
  create_endpoint("/itpay-body", one);
  const std::string id = insert(kPayloads.front());
  const Json verdict = courtroom_->python.verdicts("/itpay-body", 1).front();
  const Json& event = verdict.at("event");
  EXPECT_EQ(id, event.at("id"));
  EXPECT_EQ("payment_intent.succeeded", event.at("type"));
  EXPECT_EQ(Json::parse(kPayloads.front()), event.at("data").at("object"));
  EXPECT_TRUE(event.at("created").is_number_integer());
  const Json& headers = verdict.at("headers");
  EXPECT_EQ("wh_" + id + "-retry-1", headers.at("idempotency-key"));
  EXPECT_EQ("application/json", headers.at("content-type"));
  // Stripe's library and the samples trip over spaces, upper case and leading zeros.
  const std::string signature = headers.at("webhook-signature");
  EXPECT_TRUE(std::regex_match(signature, std::regex("t=[1-9][0-9]{9},v1=[0-9a-f]{64}")))
      << signature;
}

// The headers and the body that the document lists.
TEST_F(InteropTest, PandoraRequestsLookAsInTheDocument) {
  const Case one{"pandora", "pandora_sample"};
  create_endpoint("/pandora-body", one);
  const std::string id = insert(kPayloads.front());
  const Json verdict = courtroom_->node.verdicts("/pandora-body", 1).front();
  const Json& event = verdict.at("event");
  EXPECT_EQ(id, event.at("id"));
  EXPECT_EQ("payment_intent.succeeded", event.at("type"));
  EXPECT_EQ("v1", event.at("version"));
  EXPECT_TRUE(event.at("timestamp").is_number_integer());
  EXPECT_EQ(Json::parse(kPayloads.front()), event.at("data"));
  const Json& headers = verdict.at("headers");
  EXPECT_EQ(id, headers.at("x-core-event-id"));
  EXPECT_EQ("v1", headers.at("x-core-version"));
  EXPECT_EQ("application/json", headers.at("content-type"));
}

TEST_F(InteropTest, CloudEventsAreReadByTheirSdkInBothModes) {
  const Case one{"standard", "cloudevents"};
  for (const std::string mode : {"cloudevents", "cloudevents-binary"}) {
    create_endpoint("/" + mode, one, {{"envelope", mode}});
  }
  const std::string id = insert(kPayloads.front());
  for (const std::string mode : {"cloudevents", "cloudevents-binary"}) {
    const Json verdict = courtroom_->node.verdicts("/" + mode, 1).front();
    ASSERT_TRUE(verdict.at("accepted")) << verdict.value("problem", "");
    const Json& event = verdict.at("event");
    EXPECT_EQ("1.0", event.at("specversion"));
    EXPECT_EQ(id, event.at("id"));
    EXPECT_EQ("/tenants/" + tenant_, event.at("source"));
    EXPECT_EQ("payment_intent.succeeded", event.at("type"));
    EXPECT_EQ(Json::parse(kPayloads.front()), event.at("data"));
  }
}

// The receiver of the guide, asked in either way, gets its deliveries. (No library plays this
// part.)
TEST_F(InteropTest, TheGuidesReceiverConsents) {
  const Case one{"slack", "guide_consent"};
  for (const std::string kind : {"cloudevents", "challenge"}) {
    const std::string path = "/consent-" + kind;
    create_endpoint(path, one, {{"rate_limit_per_second", 2}, {"envelope", "standard"}});
    const Json endpoint = courtroom_->api.read("/v1/webhook-endpoints").at("data").at(0);
    const std::string url = "/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>();
    const Json paused = courtroom_->api.patch(url, {{"validation", {{"kind", kind}}}}).body;
    EXPECT_EQ("paused", paused.at("status")) << paused;
    insert(kPayloads.front());
    const std::size_t count = kind == "challenge" ? 2 : 1;
    const Json last = courtroom_->judge(Language::node).verdicts(path, count).back();
    EXPECT_TRUE(last.at("accepted")) << last.value("problem", "");
    EXPECT_EQ("payment_intent.succeeded", last.at("event").at("type"));
    const Json validation = courtroom_->api.read(url).at("validation");
    EXPECT_EQ("valid", validation.at("state"));
    EXPECT_EQ(kind == "challenge" ? Json() : Json(90), validation.at("allowed_per_minute"));
    const Json& headers = last.at("headers");
    EXPECT_EQ(kind == "cloudevents", headers.contains("webhook-request-origin"));
    courtroom_->api.remove(url);
  }
}

// A receiver that knows nothing but the published key set and the keyid of a request.
TEST_F(InteropTest, PublishedKeysVerify) {
  const std::vector<Case> cases{
      {"httpsig", "http_message_signatures", Language::node, true, Key::public_key},
      {"httpsig-p256", "http_message_signatures", Language::node, true, Key::public_key}};
  for (const Case& one : cases) {
    const std::string path = "/published-" + one.profile;
    const std::string public_key = create_endpoint(path, one);
    courtroom_->node.assign(path, {{"library", one.library},
                                   {"profile", one.profile},
                                   {"secret", public_key},
                                   {"jwks", courtroom_->api.read("/.well-known/jwks.json")}});
  }
  insert(kPayloads.front());
  for (const Case& one : cases) {
    expect_good(courtroom_->node.verdicts("/published-" + one.profile, 1).front(), one);
  }
}

// A profile of one's own that says what the preset says.
TEST_F(InteropTest, ACustomProfileIsAcceptedLikeAPreset) {
  const Case one{"custom", "stripe"};
  create_endpoint("/custom", one,
                  {{"signing",
                    {{"custom",
                      {{"alg", "hmac-sha256"},
                       {"content", "{ts}.{body}"},
                       {"sig_header", "Stripe-Signature"},
                       {"prefix", "t={ts},"},
                       {"item", "v1={sig}"},
                       {"join", ","},
                       {"multi", "list"}}}}},
                   {"envelope", "itpay"}});
  insert(kPayloads.front());
  expect_good(courtroom_->node.verdicts("/custom", 1).front(), one);
}

// Twilio's own requests are forms.
TEST_F(InteropTest, AFormIsSignedByItsFields) {
  const Case one{"custom", "twilio_form", Language::node, false};
  create_endpoint("/form", one,
                  {{"signing",
                    {{"custom",
                      {{"alg", "hmac-sha1"},
                       {"content", "{url}{form_sorted}"},
                       {"encoding", "base64"},
                       {"sig_header", "X-Twilio-Signature"},
                       {"item", "{sig}"}}}}},
                   {"envelope", "raw"}});
  courtroom_->installation.sql().query_once(
      "INSERT INTO sealpost.outbox (tenant, type, payload_bytes, content_type) "
      "VALUES ($1, 'message.received', $2::bytea, 'application/x-www-form-urlencoded')",
      PgParameters().add(tenant_).add_bytes(
          "To=%2B18005551212&Body=100%25+of+%E2%82%AC5&MediaUrl=b&MediaUrl=a&MediaUrl=b&Empty="));
  const Json verdict = courtroom_->node.verdicts("/form", 1).front();
  expect_good(verdict, one);
  EXPECT_EQ("100% of €5", verdict.at("event").at("Body"));
}

TEST_F(InteropTest, EveryAttemptIsSignedAnew) {
  const std::vector<Case> cases{
      {"standard", "standardwebhooks"}, {"itpay", "stripe"}, {"pandora", "pandora_sample"}};
  for (const Case& one : cases) create_endpoint("/flaky-" + one.profile, one);
  insert(kPayloads.front());
  for (const Case& one : cases) {
    const auto verdicts = courtroom_->node.verdicts("/flaky-" + one.profile, 2);
    for (const Json& verdict : verdicts) expect_good(verdict, one);
    EXPECT_EQ(verdicts[0].at("body"), verdicts[1].at("body"));
    EXPECT_EQ(verdicts[0].at("headers").at("idempotency-key"),
              verdicts[1].at("headers").at("idempotency-key"));
  }
}

}  // namespace
}  // namespace sealpost
