#include "core/sealed_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/support/fake_random.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WallTime kNow{1716792600s + 999ms};

// A vector that npm's jose and Python's jwcrypto have opened, computed without this program.
const SecretText kRoot =
    sealed_json_root(SecretText("deployment-master-secret-0123456789"), "-1001234567890", 1);

std::string header(const SealedRequest& request, const std::string& name) {
  for (const Header& each : request.headers) {
    if (each.name == name) return each.value;
  }
  return "";
}

struct Headers {
  std::string timestamp, nonce, session, token, signature;
};

Headers headers_of(const SealedRequest& request) {
  return {header(request, "X-RoboFlux-Timestamp"), header(request, "X-RoboFlux-Nonce"),
          header(request, "X-RoboFlux-Session"), header(request, "X-RoboFlux-Token"),
          header(request, "X-RoboFlux-Signature")};
}

// The text, or why it does not open.
std::string opened(const SecretText& root, const Headers& headers, const std::string& body) {
  const auto result = open_sealed_request(root,
                                          {.timestamp = headers.timestamp,
                                           .nonce = headers.nonce,
                                           .session = headers.session,
                                           .token = headers.token,
                                           .signature = headers.signature},
                                          body);
  if (const auto* problem = std::get_if<SealedProblem>(&result)) return problem->text;
  return std::string(std::get<OpenedRequest>(result).text.reveal());
}

SealedRequest seal(Random& random, std::string_view text = R"({"a":1})") {
  return seal_json(kRoot, "ep_1.1", "application/json", text, kNow, random);
}

TEST(SealedJsonTest, DerivesThePublishedRoot) {
  EXPECT_EQ(encode_sealed_json_secret(kRoot).reveal(),
            "rfsec_vBTxqcGNbdHVOop93Z975ZUF5mXP3O0QCGvI2As97VOk0jlrkTklFdIAL5BBWrdlTPPrQmVwUFifX4Gp"
            "p4IRhg==");
}

TEST(SealedJsonTest, MakesThePublishedRequest) {
  ScriptedRandom random(byte_range(0x00, 0x0f) + byte_range(0x10, 0x1f) + byte_range(0x20, 0x2b));
  const SealedRequest made = seal(random);
  EXPECT_TRUE(random.used_up());
  EXPECT_THAT(made.body,
              testing::EndsWith(R"(","ciphertext":"M3xcfRsrsQ","tag":"FfUQJ9Ftpf1YmxEzArQTQQ"})"));
  EXPECT_EQ(header(made, "X-RoboFlux-Token"), "JevhmnPBW8fpHbZ2ZR8fqqr5xOr6fFEvOwjp8F-n9us");
  EXPECT_EQ(header(made, "X-RoboFlux-Timestamp"), "1716792600");
  EXPECT_EQ(header(made, "X-RoboFlux-Session"), base64url_encode(byte_range(0x00, 0x0f)));
  EXPECT_EQ(header(made, "X-RoboFlux-Nonce"), base64url_encode(byte_range(0x10, 0x1f)));
  EXPECT_EQ(
      header(made, "X-RoboFlux-Signature"),
      "v1=c6902a6225c9314295b8a5be0f237ae10ab56bf7192754249620df4b143ddaf8c067af65c66e3b7373d7"
      "b279d6752fea114c0bdc2e0917251f3fc5d8b222648f");
}

TEST(SealedJsonTest, OpensWhatItSealed) {
  FakeRandom random;
  for (const std::string text : {R"({"a":1})", "", "any \x80 bytes"}) {
    const SealedRequest made = seal(random, text);
    EXPECT_EQ(opened(kRoot, headers_of(made), made.body), text);
  }
}

TEST(SealedJsonTest, EveryRequestHasItsOwnSessionAndNonce) {
  FakeRandom random;
  const Headers first = headers_of(seal(random)), second = headers_of(seal(random));
  EXPECT_NE(first.session, second.session);
  EXPECT_NE(first.nonce, second.nonce);
  EXPECT_NE(first.token, second.token);
}

TEST(SealedJsonTest, WhatWasChangedDoesNotOpen) {
  FakeRandom random;
  const SealedRequest made = seal(random), other = seal(random);
  const Headers good = headers_of(made);
  const auto with = [&](auto change) {
    Headers changed = good;
    change(changed);
    return opened(kRoot, changed, made.body);
  };
  EXPECT_THAT(opened(kRoot, good, other.body), HasSubstr("signature"));
  EXPECT_THAT(with([](Headers& h) { h.timestamp = "1716792601"; }), HasSubstr("signature"));
  EXPECT_THAT(with([](Headers& h) { h.nonce = "AAAA"; }), HasSubstr("signature"));
  EXPECT_THAT(with([](Headers& h) { h.session = "AAAA"; }), HasSubstr("session"));
  EXPECT_THAT(with([](Headers& h) { h.token = "AAAA"; }), HasSubstr("token"));
  EXPECT_THAT(with([](Headers& h) { h.signature = ""; }), HasSubstr("signature"));
  const SecretText another = sealed_json_root(SecretText("another"), "1", 1);
  EXPECT_THAT(opened(another, good, made.body), HasSubstr("signature"));
}

TEST(SealedJsonTest, SecretsHaveAPrefixAnd64Bytes) {
  const SecretText text = encode_sealed_json_secret(kRoot);
  EXPECT_EQ(decode_sealed_json_secret(text)->reveal(), kRoot.reveal());
  for (const std::string wrong : {"", "rfsec_", "whsec_AAAA", "rfsec_AAAA", "rfsec_not base64"}) {
    EXPECT_FALSE(decode_sealed_json_secret(SecretText(wrong))) << wrong;
  }
}

}  // namespace
}  // namespace sealpost
