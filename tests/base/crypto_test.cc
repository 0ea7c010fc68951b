#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"
#include "base/crypto.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

const std::string kContext = "endpoint_secrets.ciphertext.whs_1";

std::string counting_bytes(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

class AtRestTest : public testing::Test {
 protected:
  std::string encrypt(std::string plaintext) {
    return encrypt_at_rest(key_, kContext, SecretText(std::move(plaintext)), random_);
  }
  // The plaintext, or "(refused)".
  std::string decrypt(std::string_view ciphertext) const {
    const std::optional<SecretText> opened = decrypt_at_rest(key_, kContext, ciphertext);
    return opened ? std::string(opened->reveal()) : "(refused)";
  }

  const SecretText key_{counting_bytes(32)};
  FakeRandom random_{17};
};

TEST_F(AtRestTest, OpensWhatItEncrypted) {
  for (const std::size_t length : {0, 1, 15, 16, 17, 4096}) {
    const std::string plaintext(length, 'p');
    const std::string ciphertext = encrypt(plaintext);
    EXPECT_EQ(ciphertext.size(), 12 + length + 16);
    EXPECT_EQ(decrypt(ciphertext), plaintext);
  }
}

// What is stored must open in every later version. Made with Python's cryptography package:
// AESGCM(bytes(range(32))).encrypt(bytes(range(12)), b"correct horse", context)
TEST_F(AtRestTest, OpensACiphertextMadeByAnotherImplementation) {
  const std::string ciphertext =
      counting_bytes(12) +
      *hex_decode("246da469a086b63be52ee5f8d4b769625c288a651ca25c4a6f0766d64f");
  EXPECT_EQ(decrypt(ciphertext), "correct horse");
}

TEST_F(AtRestTest, UsesANewNonceEachTime) {
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) nonces.insert(encrypt("same").substr(0, 12));
  EXPECT_EQ(nonces.size(), 100u);
}

TEST_F(AtRestTest, RefusesAnotherKey) {
  std::string other = counting_bytes(32);
  other.back() ^= 1;
  const std::string ciphertext = encrypt("secret");
  EXPECT_FALSE(decrypt_at_rest(SecretText(other), kContext, ciphertext));
}

TEST_F(AtRestTest, RefusesARowThatWasMoved) {
  const std::string ciphertext = encrypt("secret");
  EXPECT_FALSE(decrypt_at_rest(key_, "endpoint_secrets.ciphertext.whs_2", ciphertext));
  EXPECT_FALSE(decrypt_at_rest(key_, "", ciphertext));
}

TEST_F(AtRestTest, RefusesEveryFlippedBit) {
  const std::string ciphertext = encrypt("secret");
  for (std::size_t bit = 0; bit < ciphertext.size() * 8; ++bit) {
    std::string damaged = ciphertext;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decrypt(damaged), "(refused)") << "bit " << bit;
  }
}

TEST_F(AtRestTest, RefusesWhatIsTooShortOrTooLong) {
  const std::string ciphertext = encrypt("secret");
  for (std::size_t length = 0; length < ciphertext.size(); ++length) {
    EXPECT_EQ(decrypt(ciphertext.substr(0, length)), "(refused)") << length;
  }
  EXPECT_EQ(decrypt(ciphertext + "x"), "(refused)");
}

TEST(AtRestDeathTest, AKeyOfAnotherLengthIsABug) {
  FakeRandom random;
  EXPECT_DEATH(encrypt_at_rest(SecretText("short"), "", SecretText("x"), random), "32 bytes");
  EXPECT_DEATH(static_cast<void>(decrypt_at_rest(SecretText("short"), "", "x")), "32 bytes");
}

TEST(EqualConstantTimeTest, ComparesLikeEquality) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time({}, ""));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "xbc"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
  EXPECT_FALSE(equal_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace sealpost
