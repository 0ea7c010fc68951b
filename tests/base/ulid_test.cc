#include "base/ulid.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

WallTime at_ms(long long milliseconds) { return WallTime(Milliseconds(milliseconds)); }

TEST(UlidTest, WritesTheTimeOfTheSpecificationsExample) {
  EXPECT_EQ(ulid_time_text(at_ms(1'469'918'176'385)), "01ARYZ6S41");
  EXPECT_EQ(ulid_time_text(at_ms(0)), "0000000000");
  EXPECT_EQ(ulid_time_text(at_ms((1LL << 48) - 1)), "7ZZZZZZZZZ");
}

TEST(UlidTest, CutsTheTimeToTheMillisecond) {
  EXPECT_EQ(ulid_time_text(at_ms(7) + std::chrono::microseconds(999)), ulid_time_text(at_ms(7)));
}

TEST(UlidDeathTest, RefusesTimesThatDoNotFit) {
  EXPECT_DEATH(ulid_time_text(at_ms(-1)), "48 bits");
  EXPECT_DEATH(ulid_time_text(at_ms(1LL << 48)), "48 bits");
}

TEST(UlidTest, NewOnesAreValidDistinctAndCarryPrefixAndTime) {
  FakeRandom random(5);
  const WallTime now = at_ms(1'716'792'600'123);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_ulid("we_", now, random);
    EXPECT_TRUE(is_prefixed_ulid(id, "we_")) << id;
    EXPECT_TRUE(id.starts_with("we_" + ulid_time_text(now))) << id;
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(UlidTest, EveryRandomDigitTakesEveryValue) {
  FakeRandom random(6);
  std::set<std::pair<std::size_t, char>> seen;
  for (int i = 0; i < 2000; ++i) {
    const std::string id = new_ulid("", at_ms(1), random);
    for (std::size_t at = 10; at < id.size(); ++at) seen.emplace(at, id[at]);
  }
  EXPECT_EQ(seen.size(), 16u * 32u);
}

TEST(UlidTest, TextOrderIsTimeOrder) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  FakeRandom random(kSeed);
  for (int i = 0; i < 10'000; ++i) {
    // Near and far apart, over the whole range: the difference has a random number of bits.
    const auto earlier = static_cast<long long>(random.unit() * 0x1p47);
    const int bits = static_cast<int>(random.unit() * 46);
    const auto gap = static_cast<long long>(random.unit() * static_cast<double>(1LL << bits)) + 1;
    const std::string a = new_ulid("evt_", at_ms(earlier), random);
    const std::string b = new_ulid("evt_", at_ms(earlier + gap), random);
    ASSERT_LT(a, b) << earlier << " and " << gap << " ms later";
  }
}

TEST(UlidTest, RecognizesOnlyItsOwnForm) {
  const std::string valid = "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV";
  EXPECT_TRUE(is_prefixed_ulid(valid, "evt_"));
  EXPECT_TRUE(is_prefixed_ulid("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ""));
  for (const std::string& text : {
           std::string(),
           std::string("evt_"),
           valid + "0",
           valid.substr(0, 29),
           " " + valid,
           std::string("we_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
           std::string("evt-01ARZ3NDEKTSV4RRFFQ69G5FAV"),
           std::string("evt_01arz3ndektsv4rrffq69g5fav"),  // lower case
           std::string("evt_81ARZ3NDEKTSV4RRFFQ69G5FAV"),  // more than 128 bits
           std::string("evt_01ARZ3NDEKTSV4RRFFQ69G5FAI"),
           std::string("evt_01ARZ3NDEKTSV4RRFFQ69G5FAL"),
           std::string("evt_01ARZ3NDEKTSV4RRFFQ69G5FAO"),
           std::string("evt_01ARZ3NDEKTSV4RRFFQ69G5FAU"),
           std::string("evt_01ARZ3NDEKTSV4RRFFQ69G5FA\0", 30),
       }) {
    EXPECT_FALSE(is_prefixed_ulid(text, "evt_")) << text;
  }
}

}  // namespace
}  // namespace sealpost
