#include "core/signing_secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

const SigningProfile kStandard = signing_preset("standard").value();

TEST(SigningSecretTest, IsValidAsTextAndAsBase64) {
  FakeRandom random(7);
  const SecretText secret = new_signing_secret(kStandard, random);
  EXPECT_THAT(std::string(secret.reveal()), testing::MatchesRegex("whsec_[A-Za-z0-9]{40}"));
  EXPECT_EQ(decode_secret(secret, SecretDecoding::whsec_base64)->size(), 30u);
  EXPECT_NE(new_signing_secret(kStandard, random).reveal(), secret.reveal());
}

TEST(SigningSecretTest, NeverContainsCharactersThatBreakADoubleClick) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    FakeRandom random(seed);
    EXPECT_EQ(new_signing_secret(kStandard, random).reveal().find_first_of("+/="),
              std::string_view::npos);
  }
}

TEST(SigningSecretTest, FingerprintIsTheStartOfSha256) {
  // printf whsec_abc123def456 | sha256sum
  EXPECT_EQ(secret_fingerprint(SecretText("whsec_abc123def456")), "ef0a30bc7a54256e");
}

TEST(SigningSecretTest, EveryProfileGetsOneThatFits) {
  FakeRandom random;
  for (const std::string_view name : signing_preset_names()) {
    SigningProfile profile = signing_preset(name).value();
    for (const SecretDecoding decoding :
         {SecretDecoding::utf8, SecretDecoding::hex, SecretDecoding::base64,
          SecretDecoding::base64url, SecretDecoding::whsec_base64}) {
      if (is_hmac(profile.algorithm)) profile.secret_decoding = decoding;
      const SecretText secret = new_signing_secret(profile, random);
      EXPECT_LE(secret.size(), kMaxGivenSecretLength);
      if (is_hmac(profile.algorithm)) {
        EXPECT_GE(decode_secret(split_secret(secret).hmac, decoding)->size(), 24U) << name;
      }
      const bool has_pair = is_asymmetric(profile.algorithm) || !profile.ed25519_item.empty();
      EXPECT_EQ(public_key_of(profile, secret).empty(), !has_pair) << name;
    }
  }
}

TEST(SigningSecretTest, OnlyWhatIsSharedIsShown) {
  FakeRandom random;
  const auto both = signing_preset("standard-both").value();
  const SecretText secret = new_signing_secret(both, random);
  EXPECT_THAT(std::string(shared_part(both, secret).reveal()),
              testing::MatchesRegex("whsec_[A-Za-z0-9]{40}"));
  const auto asymmetric = signing_preset("standard-asymmetric").value();
  EXPECT_TRUE(shared_part(asymmetric, new_signing_secret(asymmetric, random)).empty());
  EXPECT_EQ(shared_part(kStandard, SecretText("abc,def")).reveal(), "abc,def");
}

TEST(SigningSecretTest, Base64urlIsDecoded) {
  EXPECT_EQ(decode_secret(SecretText("-_-_"), SecretDecoding::base64url)->reveal(), "\xfb\xff\xbf");
  EXPECT_FALSE(decode_secret(SecretText("+/+/"), SecretDecoding::base64url));
}

// RFC 8037, appendix A: the key, its public half and its thumbprint.
TEST(JwkTest, Ed25519IsAsInRfc8037) {
  const std::string seed = *base64url_decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  const auto profile = signing_preset("standard-asymmetric").value();
  const std::string key = public_key_of(profile, SecretText("whsk_" + base64_encode(seed)));
  EXPECT_EQ(key, "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  EXPECT_EQ(jwk_thumbprint(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  EXPECT_EQ(public_key_jwk(key),
            R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",)"
            R"("use":"sig","alg":"EdDSA","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"})");
}

// Made with Python's cryptography and hashlib.
TEST(JwkTest, P256HasBothCoordinates) {
  EXPECT_EQ(
      public_key_jwk(
          "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERxw+dYxJBChbun5TEY7Q9SSt6wdX0lvS+Oew1236cUzdUg96yoqL"
          "kXrMN/Ud6PDJu+OthYOC5wLcJaEtCfeoWA=="),
      R"({"crv":"P-256","kty":"EC","x":"Rxw-dYxJBChbun5TEY7Q9SSt6wdX0lvS-Oew1236cUw",)"
      R"("y":"3VIPesqKi5F6zDf1HejwybvjrYWDgucC3CWhLQn3qFg","use":"sig","alg":"ES256",)"
      R"("kid":"D8HvZq-fumkXpCwYIpjAPoqJx7WoEcJUS7tPPyIEJKI"})");
}

TEST(JwkTest, WhatIsNoPublicKeyHasNone) {
  for (const char* text : {"", "whpk_", "whpk_AAAA", "whsk_AAAA", "AAAA", "whsec_abc"}) {
    EXPECT_EQ(public_key_jwk(text), "") << text;
    EXPECT_EQ(jwk_thumbprint(text), "") << text;
  }
}

}  // namespace
}  // namespace sealpost
