#include "core/encryption_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/box.h"
#include "base/bytes.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

using testing::HasSubstr;
using testing::Not;

// The pair of the published box, its texts made by OpenSSL.
const std::string kPrivateKey = byte_range(0x01, 0x20);
const std::string kPublicKey = box_public_key(SecretText(kPrivateKey));
const std::string kPublicDer = "MCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
const std::string kPrivateDer = "MC4CAQAwBQYDK2VuBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";
const std::string kEd25519Der = "MCowBQYDK2VwAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

std::string pem(const std::string& label, const std::string& base64) {
  return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
}

std::string refusal(const std::string& text) {
  const auto parsed = parse_public_key(text);
  const auto* error = std::get_if<KeyError>(&parsed);
  return error ? error->problem : "(accepted)";
}

std::string private_refusal(const std::string& text) {
  const auto parsed = parse_private_key(text);
  const auto* error = std::get_if<KeyError>(&parsed);
  return error ? error->problem : "(accepted)";
}

TEST(EncryptionKeyTest, TakesAPublicKeyInEveryCommonText) {
  const std::string base64 = base64_encode(kPublicKey);
  for (const std::string& text :
       {kPublicDer, pem("PUBLIC KEY", kPublicDer), "  " + pem("PUBLIC KEY", kPublicDer), base64,
        base64.substr(0, 43), base64url_encode(kPublicKey), hex_encode(kPublicKey),
        std::string("07A37CBC142093C8B755DC1B10E86CB426374AD16AA853ED0BDFC0B2B86D1C7C")}) {
    const auto parsed = parse_public_key(text);
    const auto* key = std::get_if<std::string>(&parsed);
    EXPECT_TRUE(key != nullptr && *key == kPublicKey) << text << ": " << refusal(text);
  }
}

TEST(EncryptionKeyTest, HasTheFingerprintOfItsDerForm) {
  const std::string fingerprint =
      "ef1f7d8ef0ab699b890076ef20201662cde62fccd4571b98c263d73c2d1d574f";
  EXPECT_EQ(key_fingerprint(kPublicKey), fingerprint);
  EXPECT_EQ(encryption_key(EncryptionKeyId("whk_1"), kPublicKey).fingerprint, fingerprint);
  EXPECT_EQ(public_key_text(kPublicKey), kPublicDer);
}

TEST(EncryptionKeyTest, RefusesOtherKeysAndSaysWhatTheyAre) {
  EXPECT_THAT(refusal(kEd25519Der), HasSubstr("Ed25519"));
  EXPECT_THAT(refusal(pem("PUBLIC KEY", kEd25519Der)), HasSubstr("Ed25519"));
  EXPECT_THAT(refusal(kPrivateDer), HasSubstr("private key"));
  EXPECT_THAT(refusal(kPrivateDer), Not(HasSubstr(kPrivateDer))) << "secrets are not repeated";
  EXPECT_THAT(refusal(base64_encode(std::string(31, 'x'))), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal(base64_encode(std::string(44, 'x'))), HasSubstr("not an X25519 key"));
  EXPECT_THAT(refusal(base64_encode(std::string(33, 'x'))), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal("not base64 at all!"), HasSubstr("no encoding"));
  EXPECT_THAT(refusal("-----BEGIN PUBLIC KEY"), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal(""), HasSubstr("32 bytes"));
}

TEST(EncryptionKeyTest, RefusesKeysThatProtectNothing) {
  EXPECT_THAT(refusal(std::string(64, '0')), HasSubstr("low order"));
  EXPECT_THAT(refusal("01" + std::string(62, '0')), HasSubstr("low order"));
}

TEST(EncryptionKeyTest, TakesAPrivateKeyInEveryCommonText) {
  for (const std::string& text :
       {kPrivateDer, pem("PRIVATE KEY", kPrivateDer), base64_encode(kPrivateKey),
        base64url_encode(kPrivateKey), hex_encode(kPrivateKey) + "\n"}) {
    const auto parsed = parse_private_key(text);
    const auto* key = std::get_if<SecretText>(&parsed);
    EXPECT_TRUE(key != nullptr && key->reveal() == kPrivateKey) << private_refusal(text);
  }
}

TEST(EncryptionKeyTest, RefusesWhatIsNoPrivateKey) {
  EXPECT_THAT(private_refusal(kPublicDer), HasSubstr("public key"));
  EXPECT_THAT(private_refusal("MC4CAQAwBQYDK2VwBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"),
              HasSubstr("Ed25519"));
  EXPECT_THAT(private_refusal("abc!"), HasSubstr("no encoding"));
  EXPECT_THAT(private_refusal("AAAA"), HasSubstr("32 bytes"));
}

}  // namespace
}  // namespace sealpost
