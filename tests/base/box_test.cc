#include "base/box.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/bytes.h"
#include "tests/support/fake_random.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

// A box that PyNaCl and tweetnacl have opened: private key 01…20, ephemeral key 41…60, nonce 00…17.
const SecretText kPrivateKey(byte_range(0x01, 0x20));
const std::string kText = R"({"a":1}  )";
const std::string kBox =
    "ZLEBsdC+WocEvQePmJUAH8A+jp+VIvGI3RKNmEbUhGYAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhdiM5OOlt1CcupiLHRQ"
    "9uKA5OmIOUvLeELD";

std::string opened(const std::string& box, const SecretText& private_key) {
  const std::optional<SecretText> text = open_box(box, private_key);
  return text ? std::string(text->reveal()) : "(refused)";
}

TEST(BoxTest, MakesThePublishedBox) {
  ScriptedRandom random(byte_range(0x41, 0x60) + byte_range(0x00, 0x17));
  const EphemeralBox box(box_public_key(kPrivateKey), random);
  EXPECT_EQ(base64_encode(box.seal(kText, random)), kBox);
  EXPECT_TRUE(random.used_up());
}

TEST(BoxTest, OpensThePublishedBox) {
  EXPECT_EQ(opened(base64_decode(kBox).value(), kPrivateKey), kText);
}

TEST(BoxTest, EveryChangedByteIsNoticed) {
  const std::string box = base64_decode(kBox).value();
  for (std::size_t i = 0; i < box.size(); ++i) {
    std::string changed = box;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(opened(changed, kPrivateKey), "(refused)") << "byte " << i;
  }
}

TEST(BoxTest, OnlyTheRecipientOpens) {
  FakeRandom random;
  const EphemeralBox box(box_public_key(kPrivateKey), random);
  const std::string sealed = box.seal(kText, random);
  EXPECT_EQ(opened(sealed, kPrivateKey), kText);
  EXPECT_EQ(opened(sealed, SecretText(byte_range(0x02, 0x21))), "(refused)");
  EXPECT_EQ(opened(sealed, SecretText("short")), "(refused)");
}

TEST(BoxTest, HasAFixedOverheadAndTakesAnEmptyText) {
  FakeRandom random;
  const EphemeralBox box(box_public_key(kPrivateKey), random);
  EXPECT_EQ(box.seal("", random).size(), kBoxOverheadBytes);
  EXPECT_EQ(opened(box.seal("", random), kPrivateKey), "");
  for (std::size_t size : {0, 1, 71}) {
    EXPECT_EQ(opened(std::string(size, 'x'), kPrivateKey), "(refused)") << size;
  }
}

TEST(BoxTest, AKeyPairThatIsUsedAgainGetsANewNonce) {
  FakeRandom random;
  const EphemeralBox box(box_public_key(kPrivateKey), random);
  const std::string first = box.seal(kText, random), second = box.seal(kText, random);
  EXPECT_EQ(first.substr(0, kBoxKeyBytes), second.substr(0, kBoxKeyBytes));
  EXPECT_NE(first.substr(kBoxKeyBytes, 24), second.substr(kBoxKeyBytes, 24));
  EXPECT_EQ(opened(second, kPrivateKey), kText);
}

TEST(BoxTest, RefusesKeysOfLowOrder) {
  const std::string zero(32, '\0');
  const std::string one = "\x01" + std::string(31, '\0');
  // A point of order 8, from the list in Curve25519's paper.
  const std::string order_8 =
      hex_decode("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").value();
  FakeRandom random;
  for (const std::string& key : {zero, one, order_8, std::string("short"), std::string()}) {
    EXPECT_FALSE(is_usable_box_key(key)) << hex_encode(key);
    EXPECT_THROW(EphemeralBox(key, random), std::invalid_argument) << hex_encode(key);
  }
  EXPECT_TRUE(is_usable_box_key(box_public_key(kPrivateKey)));
}

}  // namespace
}  // namespace sealpost
