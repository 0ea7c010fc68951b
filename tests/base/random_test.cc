#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

// Answers every request with the same byte.
class ConstantRandom final : public Random {
 public:
  explicit ConstantRandom(std::byte byte) : byte_(byte) {}
  void fill(std::span<std::byte> out) override { std::fill(out.begin(), out.end(), byte_); }

 private:
  std::byte byte_;
};

TEST(RandomTest, UnitIsNeverOne) {
  ConstantRandom ones(std::byte{0xFF});
  EXPECT_LT(ones.unit(), 1.0);
  EXPECT_GT(ones.unit(), 0.9999999999);
  ConstantRandom zeros(std::byte{0});
  EXPECT_EQ(zeros.unit(), 0.0);
}

TEST(RandomTest, UnitSpreadsEvenly) {
  FakeRandom random(7);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 100'000; ++i) ++tenths.at(static_cast<std::size_t>(random.unit() * 10));
  for (const int count : tenths) EXPECT_NEAR(count, 10'000, 500);  // five standard deviations
}

TEST(RandomTest, SystemRandomFillsEveryByteAndDoesNotRepeat) {
  SystemRandom random;
  std::array<bool, 32> changed{};
  std::set<std::string> seen;
  for (int round = 0; round < 64; ++round) {
    std::array<std::byte, 32> bytes{};
    random.fill(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) changed[i] |= bytes[i] != std::byte{0};
    seen.insert(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  EXPECT_EQ(seen.size(), 64u);
  for (const bool byte_changed : changed) EXPECT_TRUE(byte_changed);  // else with 2^-512
}

TEST(FakeRandomTest, RepeatsBySeed) {
  FakeRandom first(3), again(3), other(4);
  std::vector<std::byte> a(100), b(100), c(100);
  first.fill(a);
  again.fill(b);
  other.fill(c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(FakeRandomTest, AFixedUnitIsExactAndLeavesOtherRequestsRandom) {
  FakeRandom random;
  for (const double value : {0.0, 0.25, 0.5, 0.999}) {
    random.fix_unit(value);
    EXPECT_DOUBLE_EQ(random.unit(), value);
  }
  std::vector<std::byte> a(16), b(16);
  random.fill(a);
  random.fill(b);
  EXPECT_NE(a, b);
  random.fix_unit(std::nullopt);
  EXPECT_NE(random.unit(), random.unit());
}

}  // namespace
}  // namespace sealpost
