#include "base/bytes.h"

#include <gtest/gtest.h>

#include <span>
#include <utility>
#include <vector>

#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// RFC 4648, section 10.
const std::vector<Pair> kBase64Vectors = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};
const std::vector<Pair> kHexVectors = {
    {"", ""},
    {"f", "66"},
    {"fo", "666f"},
    {"foo", "666f6f"},
    {"foob", "666f6f62"},
    {"fooba", "666f6f6261"},
    {"foobar", "666f6f626172"},
};

TEST(BytesTest, EncodesAndDecodesTheVectorsOfRfc4648) {
  for (const auto& [bytes, text] : kBase64Vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
    const std::string_view unpadded = text.substr(0, text.find('='));
    EXPECT_EQ(base64url_encode(bytes), unpadded);
    EXPECT_EQ(base64url_decode(unpadded), bytes);
  }
  for (const auto& [bytes, text] : kHexVectors) {
    EXPECT_EQ(hex_encode(bytes), text);
    EXPECT_EQ(hex_decode(text), bytes);
  }
}

TEST(BytesTest, UsesTheAlphabetOfEachVariant) {
  const std::string_view bytes = "\xfb\xff\xbf";
  EXPECT_EQ(base64_encode(bytes), "+/+/");
  EXPECT_EQ(base64url_encode(bytes), "-_-_");
  EXPECT_EQ(base64_decode("-_-_"), std::nullopt);
  EXPECT_EQ(base64url_decode("+/+/"), std::nullopt);
}

TEST(BytesTest, RoundTripsEveryLengthAndByte) {
  FakeRandom random(20261122);
  for (std::size_t length = 0; length < 300; ++length) {
    std::string bytes(length, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    EXPECT_EQ(hex_decode(hex_encode(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
}

TEST(BytesTest, RefusesHexThatIsNotWhole) {
  for (const std::string_view text : {"6", "666", "6g", "g6", " 66", "66 ", "0x66", "6\xc3"}) {
    EXPECT_EQ(hex_decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(hex_decode("DeadBEEF"), "\xde\xad\xbe\xef");
}

TEST(BytesTest, RefusesBase64ThatNoEncoderWrites) {
  for (const std::string_view text : {
           "Zg", "Zg=", "Z", "Z===", "====", "=", "Zm8", "Zm9v=", "Zg==Zg==",  // padding
           "Zh==", "Zm9=", "Zn==",                                             // trailing bits set
           "Zm 9", "Zm9v\n", " Zm9v", "Zm9*", "Zm\xc3\xa4",                    // other characters
       }) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(BytesTest, RefusesBase64UrlThatNoEncoderWrites) {
  for (const std::string_view text :
       {"Z", "A", "Zm9vA", "Zg==", "Zm8=", "Zh", "Zm9", "Zm 9", "Zm9v\n"}) {
    EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
  }
}

TEST(BytesTest, AcceptsWellFormedUtf8) {
  for (const std::string_view text :
       {"", "ascii", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"}) {
    EXPECT_TRUE(is_utf8(text)) << hex_encode(text);
  }
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(BytesTest, RefusesEveryFormThatRfc3629Forbids) {
  for (const std::string_view text : {
           "\x80",
           "\xbf",
           "a\x80z",  // continuation alone
           "\xc0\x80",
           "\xc1\xbf",
           "\xe0\x9f\xbf",
           "\xf0\x8f\xbf\xbf",  // overlong
           "\xed\xa0\x80",
           "\xed\xbf\xbf",  // surrogates
           "\xf4\x90\x80\x80",
           "\xf5\x80\x80\x80",
           "\xff",  // above U+10FFFF
           "\xc3",
           "\xe2\x82",
           "\xf0\x9f\x98",  // cut short
           "\xc3(",
           "\xe2\x82(",
           "\xe2(\xac",
           "\xf0\x9f\x98(",
           "\xf0\x9f(\x80",  // broken inside
       }) {
    EXPECT_FALSE(is_utf8(text)) << hex_encode(text);
  }
}

TEST(BytesTest, FindsABadByteWhereverItStands) {
  for (std::size_t length = 1; length <= 40; ++length) {
    EXPECT_TRUE(is_utf8(std::string(length, 'a')));
    for (std::size_t at = 0; at < length; ++at) {
      std::string bytes(length, 'a');
      bytes[at] = '\xff';
      EXPECT_FALSE(is_utf8(bytes)) << length << " bytes, bad at " << at;
    }
  }
}

TEST(BytesTest, MeasuresOnlyTheFirstCharacter) {
  EXPECT_EQ(utf8_character_length("ab"), 1u);
  EXPECT_EQ(utf8_character_length("\xc3\xa4\xff"), 2u);
  EXPECT_EQ(utf8_character_length("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8_character_length("\xf0\x9f\x98\x80"), 4u);
  EXPECT_EQ(utf8_character_length("\xffok"), 0u);
  EXPECT_EQ(utf8_character_length(""), 0u);
}

}  // namespace
}  // namespace sealpost
