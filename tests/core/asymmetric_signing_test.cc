// Signatures by key pairs and HTTP message signatures. Expected values are those of the
// specifications, of Python's cryptography 38.0.4, or checked with the public key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include "base/bytes.h"
#include "core/signer.h"
#include "core/signing_secret.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;

// RFC 9421, B.1.4: test-key-ed25519, as a JSON Web Key.
constexpr std::string_view kRfcSeed = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";
constexpr std::string_view kRfcPublic = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";
// RFC 9421, B.1.5: test-shared-secret.
const std::string kRfcShared =
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";

std::string rfc_secret() { return "whsk_" + base64_encode(*base64url_decode(kRfcSeed)); }
std::string rfc_public() { return "whpk_" + base64_encode(*base64url_decode(kRfcPublic)); }

std::vector<Header> sign(const SigningProfile& profile, const std::vector<std::string>& secrets,
                         const SigningInput& input) {
  std::vector<SecretText> texts;
  for (const std::string& secret : secrets) texts.emplace_back(secret);
  FakeRandom random;
  SigningTools tools(random);
  std::vector<Header> headers;
  Signer(profile, texts).sign(input, tools, headers);
  return headers;
}

std::string value(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

std::string failure(const SigningProfile& profile, const std::string& secret) {
  try {
    sign(profile, {secret}, {});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

const SigningInput kV1aInput{.message_id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
                             .event_type = "a.b",
                             .idempotency_key = "",
                             .url = "https://example.com/",
                             .content_type = "application/json",
                             .body = R"({"a":1})",
                             .time = WallTime{1674087231s}};
constexpr std::string_view kV1a =
    "v1a,UhGGfub8i5M8JFqqOD8E8/1MLNcN2rvWqSfGFWKKpoJTBBSgY7T5/N2dyy70/6UJ6gUDYyn5zpgUvv+lddYFAA==";

TEST(AsymmetricSigningTest, V1aIsEd25519OverTheSameBytesAsV1) {
  const auto profile = signing_preset("standard-asymmetric").value();
  EXPECT_EQ(value(sign(profile, {rfc_secret()}, kV1aInput), "webhook-signature"), kV1a);
  const std::string pair = *base64url_decode(kRfcSeed) + *base64url_decode(kRfcPublic);
  EXPECT_EQ(value(sign(profile, {"whsk_" + base64_encode(pair)}, kV1aInput), "webhook-signature"),
            kV1a);
}

TEST(AsymmetricSigningTest, V1AndV1aStandInOneHeaderForEverySecret) {
  const auto profile = signing_preset("standard-both").value();
  const std::string first = "whsec_" + std::string(40, 'A'),
                    second = "whsec_" + std::string(40, 'B');
  const auto v1 = [](const std::string& secret) {
    return value(sign(signing_preset("standard").value(), {secret}, kV1aInput),
                 "webhook-signature");
  };
  EXPECT_EQ(
      value(sign(profile, {first + "," + rfc_secret(), second + "," + rfc_secret()}, kV1aInput),
            "webhook-signature"),
      v1(first) + " " + std::string(kV1a) + " " + v1(second) + " " + std::string(kV1a));
}

TEST(AsymmetricSigningTest, KeysOfAnotherFormAreRefusedWithoutShowingThem) {
  const std::string hmac = "whsec_" + std::string(40, 'A');
  const std::string wrong_half =
      "whsk_" + base64_encode(*base64url_decode(kRfcSeed) + std::string(32, 'x'));
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"standard-asymmetric",
       {hmac, rfc_public(), "whsk_AAAA", "whsk_!", rfc_secret().substr(5), wrong_half, ""}},
      {"standard-both",
       {hmac, rfc_secret(), hmac + ",", "," + rfc_secret(), hmac + "," + rfc_public(),
        rfc_secret() + "," + hmac}},
      {"httpsig", {hmac, rfc_public()}},
      {"httpsig-p256", {hmac, rfc_secret(), "MIGH", base64_encode("not DER")}},
  };
  for (const auto& [name, secrets] : cases) {
    for (const std::string& secret : secrets) {
      const std::string error = failure(signing_preset(name).value(), secret);
      EXPECT_THAT(error, testing::StartsWith("secret: the signing profile")) << name << secret;
      if (secret.empty()) continue;
      EXPECT_THAT(error, testing::Not(testing::HasSubstr(secret)));
    }
  }
}

// ------------------------------------------------------------------ HTTP message signatures

const SigningInput kHttpInput{.message_id = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                              .event_type = "a.b",
                              .idempotency_key = "",
                              .url = "https://Example.com:443/foo?param=Value&Pet=dog",
                              .content_type = "application/json",
                              .body = R"({"hello": "world"})",
                              .time = WallTime{1618884473s}};

// What a receiver makes of the headers by RFC 9421, 2.5, for the label `n`.
std::string signature_base(const std::vector<Header>& headers, int n) {
  const std::string label = "sig" + std::to_string(n) + "=";
  const std::string inputs = value(headers, "Signature-Input");
  const size_t start = inputs.find(label) + label.size();
  const std::string parameters = inputs.substr(start, inputs.find(", sig", start) - start);
  return "\"@method\": POST\n\"@target-uri\": https://example.com/foo?param=Value&Pet=dog\n"
         "\"content-type\": application/json\n\"content-digest\": " +
         value(headers, "Content-Digest") + "\n\"webhook-id\": " + value(headers, "webhook-id") +
         "\n\"webhook-timestamp\": " + value(headers, "webhook-timestamp") +
         "\n\"@signature-params\": " + parameters;
}

std::string signature_of(const std::vector<Header>& headers, int n) {
  const std::string label = "sig" + std::to_string(n) + "=:";
  const std::string list = value(headers, "Signature");
  const size_t start = list.find(label) + label.size();
  return *base64_decode(list.substr(start, list.find(':', start) - start));
}

TEST(HttpSignatureTest, HeadersAreThoseOfTheProfile) {
  const auto headers = sign(signing_preset("httpsig").value(), {rfc_secret()}, kHttpInput);
  ASSERT_EQ(headers.size(), 5U);
  EXPECT_EQ(value(headers, "webhook-id"), kHttpInput.message_id);
  EXPECT_EQ(value(headers, "webhook-timestamp"), "1618884473");
  // RFC 9530, appendix B.
  EXPECT_EQ(value(headers, "Content-Digest"),
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
  EXPECT_THAT(
      value(headers, "Signature-Input"),
      testing::MatchesRegex(
          R"re(sig1=\("@method" "@target-uri" "content-type" "content-digest" "webhook-id" )re"
          R"re("webhook-timestamp"\);created=1618884473;expires=1618884773;)re"
          R"re(keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";)re"
          R"re(nonce="[-_A-Za-z0-9]{22}";tag="webhook")re"));
  EXPECT_THAT(value(headers, "Signature"), testing::MatchesRegex("sig1=:[+/=A-Za-z0-9]{88}:"));
}

TEST(HttpSignatureTest, Ed25519SignaturesAreOverTheSignatureBase) {
  FakeRandom random;
  const auto profile = signing_preset("httpsig").value();
  const std::string other(new_signing_secret(profile, random).reveal());
  const auto headers = sign(profile, {other, rfc_secret()}, kHttpInput);
  const auto other_public = decode_ed25519_public(public_key_of(profile, SecretText(other)));
  EXPECT_TRUE(ed25519_verify(*other_public, signature_base(headers, 1), signature_of(headers, 1)));
  EXPECT_TRUE(ed25519_verify(*base64url_decode(kRfcPublic), signature_base(headers, 2),
                             signature_of(headers, 2)));
  EXPECT_FALSE(ed25519_verify(*base64url_decode(kRfcPublic), signature_base(headers, 1),
                              signature_of(headers, 2)));
}

TEST(HttpSignatureTest, P256SignaturesAreOverTheSignatureBase) {
  FakeRandom random;
  const auto profile = signing_preset("httpsig-p256").value();
  const SecretText secret = new_signing_secret(profile, random);
  const auto headers = sign(profile, {std::string(secret.reveal())}, kHttpInput);
  const std::string base = signature_base(headers, 1);
  EXPECT_THAT(base, testing::HasSubstr(";alg=\"ecdsa-p256-sha256\";"));
  EXPECT_TRUE(p256_verify(*decode_p256_public(public_key_of(profile, secret)),
                          std::array{std::string_view(base)}, signature_of(headers, 1)));
}

TEST(HttpSignatureTest, HmacSignaturesAreOverTheSignatureBase) {
  const auto headers = sign(signing_preset("httpsig-hmac").value(), {"secret"}, kHttpInput);
  const std::string base = signature_base(headers, 1);
  EXPECT_THAT(base, testing::HasSubstr(";alg=\"hmac-sha256\";"));
  std::string mac;
  HmacKey(HmacAlgorithm::sha256, "secret").sign(std::array{std::string_view(base)}, mac);
  EXPECT_EQ(base64_encode(mac), base64_encode(signature_of(headers, 1)));
}

// RFC 9421, B.2.5. The request is not one of ours, so only its digest algorithm is tried here: the
// body stands for the whole signature base.
TEST(HttpSignatureTest, HmacGivesTheValueOfTheStandardsExample) {
  SigningInput input = kHttpInput;
  input.body =
      "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n"
      "\"content-type\": application/json\n\"@signature-params\": (\"date\" \"@authority\" "
      "\"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
  const SigningProfile profile{.name = "example",
                               .algorithm = SignatureAlgorithm::hmac_sha256,
                               .secret_decoding = SecretDecoding::base64,
                               .content = "{body}",
                               .encoding = SignatureEncoding::base64,
                               .signature_header = "Signature",
                               .item = "sig-b25=:{sig}:"};
  EXPECT_EQ(value(sign(profile, {kRfcShared}, input), "Signature"),
            "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
}

TEST(HttpSignatureTest, EveryAttemptHasItsOwnNonce) {
  const Signer signer(signing_preset("httpsig-hmac").value(), {SecretText("secret")});
  FakeRandom random;
  SigningTools tools(random);
  std::vector<Header> first, second;
  signer.sign(kHttpInput, tools, first);
  signer.sign(kHttpInput, tools, second);
  EXPECT_NE(value(first, "Signature-Input"), value(second, "Signature-Input"));
}

}  // namespace
}  // namespace sealpost
