#include "core/open_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/encryption.h"
#include "tests/support/fake_random.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

using testing::HasSubstr;

const SecretText kPrimary(byte_range(0x01, 0x20));
const SecretText kSecond(byte_range(0x02, 0x21));
const SecretText kStranger(byte_range(0x03, 0x22));

EncryptionKey key_of(const std::string& id, const SecretText& private_key) {
  return encryption_key(EncryptionKeyId(id), box_public_key(private_key));
}

EncryptedBody encrypted() {
  FakeRandom random;
  const EncryptionKey keys[] = {key_of("whk_1", kPrimary), key_of("whk_2", kSecond)};
  return BodyEncryptor(random).encrypt(R"({"a":1})", BodyKind::json, {}, keys, WallTime{});
}

// The text and the key's id, or the problem, or "(plain)".
std::string opened(const std::string& body, const std::string& enc,
                   const std::optional<SecretText>& key) {
  const auto result = open_body(body, enc, key);
  if (const auto* open = std::get_if<OpenedBody>(&result)) {
    return open->key_id + " " + std::string(open->text.reveal());
  }
  const auto* problem = std::get_if<NotOpened>(&result);
  return problem ? problem->problem : "(plain)";
}

TEST(OpenBodyTest, OpensForEveryRecipient) {
  const EncryptedBody body = encrypted();
  EXPECT_EQ(opened(body.json, body.ciphertext, kPrimary), "whk_1 {\"a\":1}  ");
  EXPECT_EQ(opened(body.json, "body", kSecond), "whk_2 {\"a\":1}  ");
  EXPECT_EQ(opened(body.json, "", kSecond), "whk_2 {\"a\":1}  ") << "not every profile has enc=";
}

TEST(OpenBodyTest, PlainBodiesStayPlain) {
  for (const char* body : {R"({"a":1})", "[]", "no JSON", "", R"({"encrypted":"true"})"}) {
    EXPECT_EQ(opened(body, "", kPrimary), "(plain)") << body;
  }
}

TEST(OpenBodyTest, ThePlainBodyAndTheBoxMustBelongTogether) {
  const EncryptedBody body = encrypted();
  EXPECT_THAT(opened(R"({"a":1})", "body", kPrimary), HasSubstr("and it is not"));
  EXPECT_THAT(opened(body.json, body.ciphertext + "A", kPrimary), HasSubstr("in the header"));
}

TEST(OpenBodyTest, SaysWhyItDoesNotOpen) {
  const EncryptedBody body = encrypted();
  EXPECT_THAT(opened(body.json, "body", std::nullopt), HasSubstr("no private key"));
  EXPECT_THAT(opened(body.json, "body", kStranger), HasSubstr("other keys"));
  std::string damaged = body.json;
  const std::size_t at = damaged.find(body.ciphertext) + 60;
  damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
  EXPECT_THAT(opened(damaged, "body", kPrimary), HasSubstr("damaged"));
  EXPECT_THAT(opened(R"({"encrypted":true})", "", kPrimary), HasSubstr("other keys"));
  EXPECT_THAT(opened(R"({"encrypted":true,"recipients":[5,{}]})", "", kPrimary),
              HasSubstr("other keys"));
}

}  // namespace
}  // namespace sealpost
