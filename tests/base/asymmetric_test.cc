// Expected values are those of RFC 8032 and RFC 9421, or were made with Python's cryptography.
#include "base/asymmetric.h"

#include <gtest/gtest.h>

#include <array>

#include "base/bytes.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

std::string signature_of(const SecretText& key, std::string_view message) {
  std::string signature;
  ed25519_sign(key, message, signature);
  return signature;
}

// RFC 8032, 7.1, tests 1 to 3.
TEST(Ed25519Test, GivesTheValuesOfRfc8032) {
  struct Vector {
    const char* seed;
    const char* public_key;
    const char* message;
    const char* signature;
  };
  const Vector vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "d"
       "c6594a7c15e9716ed28dc027beceea1ec40a"},
  };
  for (const Vector& vector : vectors) {
    const auto key = ed25519_private_key(*hex_decode(vector.seed));
    ASSERT_TRUE(key);
    EXPECT_EQ(hex_encode(ed25519_public_key(*key)), vector.public_key);
    const std::string message = *hex_decode(vector.message);
    EXPECT_EQ(hex_encode(signature_of(*key, message)), vector.signature);
    EXPECT_TRUE(ed25519_verify(ed25519_public_key(*key), message, *hex_decode(vector.signature)));
    EXPECT_FALSE(
        ed25519_verify(ed25519_public_key(*key), message + "x", *hex_decode(vector.signature)));
  }
}

// RFC 9421, B.2.6, with the key of B.1.4.
TEST(Ed25519Test, GivesTheValueOfRfc9421) {
  const auto key =
      ed25519_private_key(*base64url_decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"));
  const std::string base =
      "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n"
      "\"@authority\": example.com\n\"content-type\": application/json\n\"content-length\": 18\n"
      "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
      "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
  EXPECT_EQ(
      base64_encode(signature_of(*key, base)),
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
}

TEST(Ed25519Test, TakesSeedsAndPairsThatBelongTogether) {
  FakeRandom random;
  const SecretText key = new_ed25519_private_key(random);
  const std::string pair(key.reveal());
  EXPECT_EQ(ed25519_private_key(pair)->reveal(), pair);
  EXPECT_EQ(ed25519_private_key(pair.substr(0, 32))->reveal(), pair);
  std::string torn = pair;
  torn.back() ^= 1;
  EXPECT_FALSE(ed25519_private_key(torn));
  EXPECT_FALSE(ed25519_private_key(pair.substr(1)));
  EXPECT_FALSE(ed25519_private_key(""));
  EXPECT_NE(new_ed25519_private_key(random).reveal(), pair);
}

TEST(Ed25519Test, RefusesSignaturesAndKeysOfOtherLengths) {
  FakeRandom random;
  const SecretText key = new_ed25519_private_key(random);
  const std::string signature = signature_of(key, "text");
  const std::string_view public_key = ed25519_public_key(key);
  EXPECT_TRUE(ed25519_verify(public_key, "text", signature));
  EXPECT_FALSE(ed25519_verify(public_key, "text", signature.substr(1)));
  EXPECT_FALSE(ed25519_verify(public_key, "text", ""));
  EXPECT_FALSE(ed25519_verify(public_key.substr(1), "text", signature));
}

constexpr std::string_view kP256Private =
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze+"
    "hRANCAARHHD51jEkEKFu6flMRjtD1JK3rB1fSW9L457DXbfpxTN1SD3rKiouResw39R3o8Mm7462Fg4LnAtwloS0J96h"
    "Y";
constexpr std::string_view kP256Public =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERxw+dYxJBChbun5TEY7Q9SSt6wdX0lvS+Oew1236cUzdUg96yoqLkXrM"
    "N/Ud6PDJu+OthYOC5wLcJaEtCfeoWA==";
// The same library, another curve.
constexpr std::string_view kP384Private =
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAWhZANiAAQR3iSiwlHHd1c8rF6gJeRn8gjlHb/5j8VPZmHL5WWDsDeIL0ocopfmCrzbw4NthLyP"
    "ppbHdED5LQ9YN+kKAOfFKEtEd1TV3uiMmGUztpAa6zF3aG0K6PszGEQUq+bBcTo=";

TEST(P256Test, ReadsAndWritesPkcs8) {
  const std::string der = *base64_decode(kP256Private);
  const auto key = P256PrivateKey::from_pkcs8(der);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->pkcs8().reveal(), der);
  EXPECT_EQ(base64_encode(key->public_spki()), kP256Public);
  const auto point = p256_point(key->public_spki());
  EXPECT_EQ(base64url_encode(point->x), "Rxw-dYxJBChbun5TEY7Q9SSt6wdX0lvS-Oew1236cUw");
  EXPECT_EQ(base64url_encode(point->y), "3VIPesqKi5F6zDf1HejwybvjrYWDgucC3CWhLQn3qFg");
}

TEST(P256Test, RefusesOtherKeys) {
  EXPECT_FALSE(P256PrivateKey::from_pkcs8(*base64_decode(kP384Private)));
  EXPECT_FALSE(P256PrivateKey::from_pkcs8(*base64_decode(kP256Private) + "x"));
  EXPECT_FALSE(P256PrivateKey::from_pkcs8(*base64_decode(kP256Public)));
  EXPECT_FALSE(P256PrivateKey::from_pkcs8(""));
  EXPECT_FALSE(p256_point(*base64_decode(kP256Private)));
  EXPECT_FALSE(p256_point(""));
}

TEST(P256Test, SignsWhatItsPublicKeyVerifies) {
  const P256PrivateKey key = P256PrivateKey::generate();
  const std::array<std::string_view, 2> pieces{"1716792600.", "{}"};
  for (int i = 0; i < 50; ++i) {  // r and s shorter than 32 bytes come about once in 128 times
    std::string signature;
    key.sign(pieces, signature);
    ASSERT_EQ(signature.size(), 64U);
    EXPECT_TRUE(p256_verify(key.public_spki(), pieces, signature));
    EXPECT_TRUE(
        p256_verify(key.public_spki(), std::array{std::string_view("1716792600.{}")}, signature));
    EXPECT_FALSE(p256_verify(key.public_spki(), std::array{pieces[0]}, signature));
    signature[5] ^= 1;
    EXPECT_FALSE(p256_verify(key.public_spki(), pieces, signature));
  }
}

// RFC 9421, B.2.4, with the key of B.1.3.
TEST(P256Test, VerifiesTheSignatureOfRfc9421) {
  const std::string spki = *base64_decode(
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+"
      "hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==");
  const std::string_view base =
      "\"@status\": 200\n\"content-type\": application/json\n\"content-digest\": "
      "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGg"
      "fLQ==:\n\"content-length\": 23\n\"@signature-params\": (\"@status\" \"content-type\" "
      "\"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-ecc-p256\"";
  const std::string signature = *base64_decode(
      "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==");
  EXPECT_TRUE(p256_verify(spki, std::array{base}, signature));
  EXPECT_FALSE(p256_verify(spki, std::array{base.substr(1)}, signature));
}

}  // namespace
}  // namespace sealpost
