#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

namespace sealpost {
namespace {

std::string mac_hex(const HmacKey& key, std::string_view data) {
  std::string out;
  key.sign(std::array{data}, out);
  return hex_encode(out);
}

std::string counting_bytes(int from, int to) {
  std::string bytes;
  for (int i = from; i <= to; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

struct Rfc4231Vector {
  std::string key;
  std::string data;
  std::string sha256;
  std::string sha512;
};

// RFC 4231, test cases 1 to 7. Case 5 is published cut to 128 bits.
const std::vector<Rfc4231Vector> kRfc4231 = {
    {std::string(20, '\x0b'), "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {"Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {std::string(20, '\xaa'), std::string(50, '\xdd'),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
     "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
    {counting_bytes(1, 25), std::string(50, '\xcd'),
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
     "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
    {std::string(20, '\x0c'), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b",
     "415fad6271580a531d4179bc891d87a6"},
    {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    {std::string(131, '\xaa'),
     "This is a test using a larger than block-size key and a larger than block-size data. The key "
     "needs to be hashed before being used by the HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
     "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
};

TEST(HmacTest, GivesTheValuesOfRfc4231) {
  for (const Rfc4231Vector& vector : kRfc4231) {
    const HmacKey sha256(HmacAlgorithm::sha256, vector.key);
    const HmacKey sha512(HmacAlgorithm::sha512, vector.key);
    EXPECT_EQ(mac_hex(sha256, vector.data).substr(0, vector.sha256.size()), vector.sha256);
    EXPECT_EQ(mac_hex(sha512, vector.data).substr(0, vector.sha512.size()), vector.sha512);
  }
}

struct Rfc2202Vector {
  std::string key;
  std::string data;
  std::string sha1;
};

// RFC 2202, section 3.
const std::vector<Rfc2202Vector> kRfc2202 = {
    {std::string(20, '\x0b'), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
    {"Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {std::string(20, '\xaa'), std::string(50, '\xdd'), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
    {counting_bytes(1, 25), std::string(50, '\xcd'), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
    {std::string(20, '\x0c'), "Test With Truncation", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"},
    {std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
     "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
    {std::string(80, '\xaa'),
     "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
     "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"},
};

TEST(HmacTest, GivesTheValuesOfRfc2202) {
  for (const Rfc2202Vector& vector : kRfc2202) {
    EXPECT_EQ(mac_hex(HmacKey(HmacAlgorithm::sha1, vector.key), vector.data), vector.sha1);
  }
}

TEST(HmacTest, PiecesGiveTheSameAsTheirConcatenation) {
  const HmacKey key(HmacAlgorithm::sha256, "key");
  std::string pieces;
  key.sign(std::vector<std::string_view>{"id", ".", "", {}, "1716792600.", "body"}, pieces);
  EXPECT_EQ(hex_encode(pieces), mac_hex(key, "id.1716792600.body"));
}

TEST(HmacTest, AppendsToWhatIsThere) {
  std::string out = "v1=";
  HmacKey(HmacAlgorithm::sha1, "key").sign({}, out);
  EXPECT_EQ(out.size(), 3u + 20u);
  EXPECT_TRUE(out.starts_with("v1="));
}

// The value is Python's: hmac.new(b'', b'', 'sha256').
TEST(HmacTest, AnEmptyKeyIsAKey) {
  constexpr std::string_view kEmptyKeyAndData =
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(mac_hex(HmacKey(HmacAlgorithm::sha256, ""), ""), kEmptyKeyAndData);
  EXPECT_EQ(mac_hex(HmacKey(HmacAlgorithm::sha256, {}), {}), kEmptyKeyAndData);
}

TEST(HmacTest, AKeySignsAgainAndAgainAndSoDoesItsCopy) {
  const HmacKey first(HmacAlgorithm::sha512, "key");
  const std::string expected = mac_hex(first, "data");
  mac_hex(first, "other data");
  EXPECT_EQ(mac_hex(first, "data"), expected);
  HmacKey second(HmacAlgorithm::sha1, "another key");
  second = first;
  EXPECT_EQ(mac_hex(second, "data"), expected);
}

TEST(Sha256Test, AppendsToWhatIsThere) {
  std::string out = "sha-256=";
  append_sha256("abc", out);
  EXPECT_EQ(out, "sha-256=" + sha256("abc"));
}

// FIPS 180-2, appendix B.1 and B.2.
TEST(Sha256Test, GivesTheStandardsValues) {
  EXPECT_EQ(hex_encode(sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_encode(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

}  // namespace
}  // namespace sealpost
