#include "core/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "core/signing_secret.h"
#include "core/webhook_request.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WallTime kNow{1716792600s};
const std::string kSecret = "whsec_" + std::string(40, 'S');
const std::string kOtherSecret = "whsec_" + std::string(40, 'X');
// Every preset whose secret is text.
const char* const kProfiles[] = {"standard",    "itpay",   "stripe",      "pandora", "engenius",
                                 "github",      "shopify", "slack",       "zoom",    "square",
                                 "twilio-json", "paddle",  "httpsig-hmac"};
const char* const kTimedProfiles[] = {"standard", "itpay", "stripe", "pandora",     "engenius",
                                      "slack",    "zoom",  "paddle", "httpsig-hmac"};
// What names no type in its headers and has a raw body.
bool names_type(const std::string& profile) {
  for (const char* name : {"slack", "zoom", "square", "twilio-json", "paddle"}) {
    if (profile == name) return false;
  }
  return true;
}

struct Sent {
  std::string profile;
  std::string payload = R"({"amount":50000})";
  std::vector<std::string> secrets = {kSecret};
  bool next_header = false;
};

// What arrives when Sealpost sends.
ReceivedRequest received(const Sent& sent) {
  Endpoint endpoint;
  endpoint.settings.url = "https://example.com/hooks?a=1";
  endpoint.settings.signing_profile = sent.profile;
  endpoint.settings.next_header = sent.next_header;
  endpoint.settings.envelope =
      envelope_from_text(signing_preset(sent.profile).value().default_envelope).value();
  for (const std::string& secret : sent.secrets) endpoint.secrets.emplace_back(secret);
  LeasedDelivery delivery;
  delivery.event =
      std::make_shared<const Event>(Event{.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
                                          .tenant = "acme",
                                          .type = "invoice.paid",
                                          .payload = sent.payload,
                                          .payload_is_json = true,
                                          .content_type = "application/json",
                                          .ordering_key = "",
                                          .created_at = kNow - 10s});
  FakeRandom random;
  const auto built = RequestBuilder(random).build(delivery, *prepare(endpoint), kNow);
  const auto& request = std::get<HttpRequest>(built);
  ReceivedRequest made;
  made.body = request.body;
  made.url = request.url;
  for (Header header : request.headers) {
    std::transform(header.name.begin(), header.name.end(), header.name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    made.headers[header.name] = header.value;
  }
  return made;
}

Verification verify(const ReceivedRequest& request, const std::string& secret = kSecret,
                    WallTime now = kNow) {
  return verify_request(request, SecretText(secret), now);
}

TEST(VerifyTest, AcceptsWhatSealpostSends) {
  for (const std::string profile : kProfiles) {
    const Verification result = verify(received({.profile = profile}));
    EXPECT_TRUE(result.verified) << profile << ": " << result.problem;
    EXPECT_EQ(result.problem, "");
    EXPECT_EQ(result.profile, profile);
    EXPECT_EQ(result.event_id, "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM") << profile;
    EXPECT_EQ(result.event_type, names_type(profile) ? "invoice.paid" : "") << profile;
  }
}

TEST(VerifyTest, AcceptsTheSpecificationsOwnExample) {
  const ReceivedRequest request{
      .headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                  {"webhook-timestamp", "1614265330"},
                  {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
      .body = R"({"test": 2432232314})"};
  const Verification result =
      verify(request, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WallTime{1614265330s});
  EXPECT_TRUE(result.verified) << result.problem;
  EXPECT_EQ(result.event_id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
}

TEST(VerifyTest, RefusesAChangedBody) {
  for (const std::string profile : kProfiles) {
    ReceivedRequest request = received({.profile = profile});
    request.body.replace(request.body.find("50000"), 5, "50001");
    const Verification result = verify(request);
    EXPECT_FALSE(result.verified) << profile;
    const char* problem =
        profile == "twilio-json" ? "the URL does not end with" : "no signature matches";
    EXPECT_THAT(result.problem, HasSubstr(problem)) << profile;
  }
}

TEST(VerifyTest, RefusesAnotherSecret) {
  for (const std::string profile : kProfiles) {
    EXPECT_FALSE(verify(received({.profile = profile}), kOtherSecret).verified) << profile;
  }
}

TEST(VerifyTest, RefusesAChangedSignedIdOrTime) {
  ReceivedRequest request = received({.profile = "standard"});
  request.headers["webhook-id"] += "x";
  EXPECT_FALSE(verify(request).verified);
  request = received({.profile = "standard"});
  request.headers["webhook-timestamp"] = "1716792601";
  EXPECT_FALSE(verify(request).verified);
  request = received({.profile = "slack"});
  request.headers["x-slack-request-timestamp"] = "1716792601";
  EXPECT_FALSE(verify(request).verified);
}

TEST(VerifyTest, ToleratesFiveMinutesBothWays) {
  for (const std::string profile : kTimedProfiles) {
    const ReceivedRequest request = received({.profile = profile});
    for (const auto offset : {-300s, 300s}) {
      EXPECT_TRUE(verify(request, kSecret, kNow + offset).verified) << profile;
    }
    const Verification old = verify(request, kSecret, kNow + 301s);
    EXPECT_FALSE(old.verified) << profile;
    EXPECT_THAT(old.problem, HasSubstr("301 s in the past")) << profile;
    const Verification early = verify(request, kSecret, kNow - 301s);
    EXPECT_FALSE(early.verified) << profile;
    EXPECT_THAT(early.problem, HasSubstr("301 s in the future")) << profile;
  }
}

TEST(VerifyTest, TheToleranceCanBeChosen) {
  const ReceivedRequest request = received({.profile = "standard"});
  EXPECT_FALSE(verify_request(request, SecretText(kSecret), kNow + 6s, 5s).verified);
  EXPECT_TRUE(verify_request(request, SecretText(kSecret), kNow + 5s, 5s).verified);
}

TEST(VerifyTest, TheTimestampIsJudgedBeforeTheSignature) {
  ReceivedRequest request = received({.profile = "standard"});
  request.body += " ";
  EXPECT_THAT(verify(request, kOtherSecret, kNow + 1h).problem, HasSubstr("timestamp"));
}

TEST(VerifyTest, RefusesAMissingOrStrangeTimestamp) {
  for (const char* text : {"", "now", "-1716792600", " 1716792600", "1716792600.5", "0x6654",
                           "9999999999999", "99999999999999999999999"}) {
    ReceivedRequest request = received({.profile = "standard"});
    request.headers["webhook-timestamp"] = text;
    EXPECT_THAT(verify(request).problem, HasSubstr("timestamp is missing or not a number")) << text;
  }
  ReceivedRequest request = received({.profile = "standard"});
  request.headers.erase("webhook-timestamp");
  EXPECT_THAT(verify(request).problem, HasSubstr("timestamp is missing"));
  request = received({.profile = "stripe"});
  std::string& value = request.headers["stripe-signature"];
  value = value.substr(value.find("v1="));
  EXPECT_THAT(verify(request).problem, HasSubstr("timestamp is missing"));
}

TEST(VerifyTest, AnyOfSeveralSignaturesMayMatch) {
  for (const char* profile : {"standard", "itpay", "stripe"}) {
    for (const auto& secrets : {std::vector{kSecret, kOtherSecret}, {kOtherSecret, kSecret}}) {
      const ReceivedRequest request = received({.profile = profile, .secrets = secrets});
      EXPECT_TRUE(verify(request, kSecret).verified) << profile;
      EXPECT_TRUE(verify(request, kOtherSecret).verified) << profile;
      EXPECT_FALSE(verify(request, "whsec_" + std::string(40, 'Z')).verified) << profile;
    }
  }
}

TEST(VerifyTest, ANextHeaderHoldsTheOtherSecretsSignature) {
  for (const char* profile : {"pandora", "engenius", "github", "slack", "square"}) {
    Sent sent{.profile = profile, .secrets = {kOtherSecret, kSecret}, .next_header = true};
    const ReceivedRequest request = received(sent);
    EXPECT_TRUE(verify_request(request, SecretText(kSecret), kNow).verified) << profile;
    EXPECT_TRUE(verify_request(request, SecretText(kOtherSecret), kNow).verified) << profile;
    EXPECT_FALSE(verify_request(request, SecretText("whsec_third"), kNow).verified) << profile;
    sent.next_header = false;
    EXPECT_FALSE(verify_request(received(sent), SecretText(kOtherSecret), kNow).verified)
        << profile;
  }
}

TEST(VerifyTest, UnknownVersionsAreSkipped) {
  ReceivedRequest request = received({.profile = "standard"});
  const std::string good = request.headers["webhook-signature"];
  request.headers["webhook-signature"] = "v1a,AAAA v2,BBBB " + good;
  EXPECT_TRUE(verify(request).verified);
  request.headers["webhook-signature"] = "v1a" + good.substr(2);
  EXPECT_THAT(verify(request).problem, HasSubstr("the profile standard-asymmetric needs"));
  request.headers["webhook-signature"] = "v2" + good.substr(2);
  EXPECT_THAT(verify(request).problem, HasSubstr("no signature of a known version"));
  request = received({.profile = "itpay"});
  request.headers["webhook-signature"] += ",enc=body,v0=1234";
  EXPECT_TRUE(verify(request).verified);
}

TEST(VerifyTest, ASignatureMustBeWhole) {
  ReceivedRequest request = received({.profile = "github"});
  std::string& value = request.headers["x-hub-signature-256"];
  value.pop_back();
  EXPECT_FALSE(verify(request).verified);
  value = "sha256=";
  EXPECT_FALSE(verify(request).verified);
}

// A secret as the sender has it, and what the receiver has of it.
struct KeyPair {
  std::string secret;
  std::string public_key;
};

KeyPair key_pair(const char* profile) {
  FakeRandom random;
  const SigningProfile preset = signing_preset(profile).value();
  const SecretText secret = new_signing_secret(preset, random);
  return {std::string(secret.reveal()), public_key_of(preset, secret)};
}

TEST(VerifyTest, EitherHalfOfAKeyPairVerifies) {
  for (const char* profile : {"standard-asymmetric", "httpsig", "httpsig-p256"}) {
    const KeyPair keys = key_pair(profile);
    ReceivedRequest request = received({.profile = profile, .secrets = {keys.secret}});
    for (const std::string& half : {keys.secret, keys.public_key}) {
      const Verification result = verify(request, half);
      EXPECT_TRUE(result.verified) << profile << ": " << result.problem;
      EXPECT_EQ(result.profile, profile);
    }
    EXPECT_FALSE(verify(request, kSecret).verified) << profile;
    EXPECT_FALSE(verify(request, keys.public_key, kNow + 301s).verified) << profile;
    request.body += " ";
    EXPECT_THAT(verify(request, keys.public_key).problem, HasSubstr("no signature matches"))
        << profile;
  }
}

TEST(VerifyTest, OfBothSignaturesEitherVerifies) {
  const KeyPair keys = key_pair("standard-both");
  const std::string hmac = keys.secret.substr(0, keys.secret.find(','));
  ReceivedRequest request = received({.profile = "standard-both", .secrets = {keys.secret}});
  for (const std::string& has :
       {keys.secret, hmac, keys.public_key, hmac + "," + keys.public_key}) {
    const Verification result = verify(request, has);
    EXPECT_TRUE(result.verified) << result.problem;
    EXPECT_EQ(result.profile, "standard-both");
  }
  request.body += " ";
  EXPECT_FALSE(verify(request, keys.secret).verified);
}

TEST(VerifyTest, HttpSignaturesCoverUrlDigestAndParameters) {
  const ReceivedRequest good = received({.profile = "httpsig-hmac"});
  ASSERT_TRUE(verify(good).verified);
  ReceivedRequest request = good;
  request.url = "https://example.com/hooks?a=2";
  EXPECT_FALSE(verify(request).verified);
  request = good;
  request.headers["content-type"] = "text/plain";
  EXPECT_FALSE(verify(request).verified);
  for (const auto& [from, to] : {std::pair{"expires=1", "expires=2"},
                                 {"nonce=\"", "nonce=\"x"},
                                 {"sig1=", "sig2="},
                                 {"\"@method\" ", ""}}) {
    request = good;
    std::string& input = request.headers["signature-input"];
    input.replace(input.find(from), std::string(from).size(), to);
    EXPECT_FALSE(verify(request).verified) << from;
  }
  request = good;
  request.url.clear();
  EXPECT_THAT(verify(request).problem, HasSubstr("signs the URL"));
}

TEST(VerifyTest, SeveralHttpSignaturesAreTriedByTheirLabels) {
  const ReceivedRequest request =
      received({.profile = "httpsig-hmac", .secrets = {kOtherSecret, kSecret}});
  EXPECT_TRUE(verify(request, kSecret).verified);
  EXPECT_TRUE(verify(request, kOtherSecret).verified);
  EXPECT_FALSE(verify(request, "another secret").verified);
}

TEST(VerifyTest, AdyensKeyIsHexadecimal) {
  const std::string key(64, 'a');
  const ReceivedRequest request = received({.profile = "adyen-platform", .secrets = {key}});
  EXPECT_TRUE(verify(request, key).verified);
  EXPECT_FALSE(verify(request, std::string(64, 'b')).verified);
  EXPECT_THAT(verify(request, "not hex").problem, HasSubstr("has not the form"));
}

TEST(VerifyTest, AProfileThatIsGivenIsTheOnlyOneTried) {
  const SigningProfile own{.name = "acme",
                           .algorithm = SignatureAlgorithm::hmac_sha512,
                           .timestamp = TimestampUnit::rfc3339,
                           .content = "{ts}|{path}|{body}",
                           .encoding = SignatureEncoding::base64url,
                           .signature_header = "X-Acme",
                           .prefix = "at={ts} ",
                           .item = "sig={sig}"};
  ReceivedRequest request{.headers = {}, .body = "{}", .url = "https://example.com/a?b"};
  FakeRandom random;
  SigningTools tools(random);
  std::vector<Header> headers;
  Signer(own, {SecretText(kSecret)})
      .sign({.message_id = "evt_1",
             .event_type = "a.b",
             .idempotency_key = "",
             .url = request.url,
             .content_type = "",
             .body = request.body,
             .time = kNow},
            tools, headers);
  request.headers["x-acme"] = headers.back().value;
  const auto with = [&](const SigningProfile& profile, WallTime now = kNow) {
    return verify_request(request, profile, SecretText(kSecret), now);
  };
  EXPECT_TRUE(with(own).verified) << with(own).problem;
  EXPECT_EQ(with(own).profile, "acme");
  EXPECT_THAT(with(own, kNow + 301s).problem, HasSubstr("in the past"));
  EXPECT_THAT(with(signing_preset("github").value()).problem, HasSubstr("X-Hub-Signature-256"));
  EXPECT_FALSE(verify(request).verified);
  request.headers["x-acme"].replace(3, 1, "x");
  EXPECT_THAT(with(own).problem, HasSubstr("not a time like"));
}

// The example of Twilio's documentation. It signs without a time.
TEST(VerifyTest, AFormIsVerifiedByItsFields) {
  const SigningProfile twilio{.name = "twilio-form",
                              .algorithm = SignatureAlgorithm::hmac_sha1,
                              .content = "{url}{form_sorted}",
                              .encoding = SignatureEncoding::base64,
                              .signature_header = "X-Twilio-Signature",
                              .item = "{sig}"};
  ReceivedRequest request{
      .headers = {{"x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="}},
      .body =
          "Digits=1234&CallSid=CA1234567890ABCDE&From=%2B14158675309&To=%2B18005551212"
          "&Caller=%2B14158675309",
      .url = "https://mycompany.com/myapp.php?foo=1&bar=2"};
  const auto verified = [&] {
    return verify_request(request, twilio, SecretText("12345"), kNow).verified;
  };
  EXPECT_TRUE(verified());
  request.body += "&More=1";
  EXPECT_FALSE(verified());
  // Signed over no field at all: that says nothing about a body that is no form.
  request.body = "";
  request.headers["x-twilio-signature"] = "zYQTYrRWXE7LtzbG4PfP7/bkkGo=";
  EXPECT_TRUE(verified());
  request.body = "a=%";
  EXPECT_FALSE(verified());
}

TEST(VerifyTest, WithoutASignatureItSaysWhatIsMissing) {
  const Verification result = verify(received({.profile = "none", .secrets = {}}));
  EXPECT_FALSE(result.verified);
  EXPECT_EQ(result.profile, "");
  EXPECT_THAT(result.problem, HasSubstr("webhook-signature"));
  EXPECT_EQ(result.event_id, "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM");
}

TEST(VerifyTest, ASecretOfTheWrongFormIsNamedWithoutShowingIt) {
  const Verification result = verify(received({.profile = "standard"}), "p@ssword");
  EXPECT_FALSE(result.verified);
  EXPECT_THAT(result.problem, HasSubstr("secret"));
  EXPECT_THAT(result.problem, testing::Not(HasSubstr("p@ssword")));
}

TEST(VerifyTest, StrangeBodiesAndIdsAreNotShown) {
  for (const char* body : {"", "not json", "[1]", "{\"id\":7}", "{\"id\":\"a\\u001b[31m\"}", "\xff",
                           "{\"type\":[]}"}) {
    const Verification result = verify({.headers = {}, .body = body});
    EXPECT_EQ(result.event_id, "") << body;
    EXPECT_EQ(result.event_type, "") << body;
  }
  const Verification result = verify({.headers = {{"webhook-id", "a\x1b[31m"}}, .body = ""});
  EXPECT_EQ(result.event_id, "");
}

TEST(VerifyTest, EveryBodyThatIsSignedIsVerifiedAndNoOther) {
  EXPECT_TRUE(rc::check("sign, then verify; flip one bit, then refuse", [] {
    const std::string profile =
        *rc::gen::elementOf(std::vector<std::string>(std::begin(kProfiles), std::end(kProfiles)));
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7e));
    std::string payload = "\"";
    for (const char c : text) payload += c == '"' || c == '\\' ? '_' : c;
    payload += '"';
    ReceivedRequest request = received({.profile = profile, .payload = payload});
    RC_ASSERT(verify(request).verified);
    const auto at = *rc::gen::inRange<size_t>(0, request.body.size());
    request.body[at] = static_cast<char>(request.body[at] ^ (1 << *rc::gen::inRange(0, 8)));
    RC_ASSERT(!verify(request).verified);
  }));
}

}  // namespace
}  // namespace sealpost
