#include "base/secret_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

namespace sealpost {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!Streamable<SecretText>);
static_assert(!fmt::is_formattable<SecretText>::value);
static_assert(!std::is_convertible_v<SecretText, std::string_view>);
static_assert(!std::is_convertible_v<SecretText, std::string>);
static_assert(!std::is_convertible_v<std::string, SecretText>);  // becoming a secret is said aloud

// Short enough to be stored inside the string object, where moving leaves a copy behind.
constexpr std::string_view kShort = "hunter2 hunter";
const std::string kLong(200, 's');

TEST(SecretTextTest, RevealsWhatItWasGiven) {
  EXPECT_EQ(SecretText(std::string(kShort)).reveal(), kShort);
  EXPECT_EQ(SecretText(kLong).size(), kLong.size());
  EXPECT_TRUE(SecretText().empty());
}

TEST(SecretTextTest, CopiesAndMovesKeepTheBytes) {
  for (const std::string& bytes : {std::string(kShort), kLong}) {
    SecretText original(bytes);
    const SecretText copy = original;
    EXPECT_EQ(original.reveal(), bytes);
    SecretText moved = std::move(original);
    SecretText assigned;
    assigned = std::move(moved);
    EXPECT_EQ(copy.reveal(), bytes);
    EXPECT_EQ(assigned.reveal(), bytes);
    assigned = SecretText("other");
    EXPECT_EQ(assigned.reveal(), "other");
  }
}

// The raw bytes of the object, alive or not.
template <std::size_t N>
std::string_view raw(const std::array<char, N>& storage) {
  return {storage.data(), storage.size()};
}

TEST(SecretTextTest, WipesItsBytesWhenItDies) {
  alignas(SecretText) std::array<char, sizeof(SecretText)> storage{};
  auto* const secret = new (storage.data()) SecretText(std::string(kShort));
  ASSERT_NE(raw(storage).find(kShort), std::string_view::npos) << "not stored in the object";
  secret->~SecretText();
  EXPECT_EQ(raw(storage).find(kShort.substr(0, 4)), std::string_view::npos);
}

TEST(SecretTextTest, LeavesNothingBehindWhenItIsMovedFrom) {
  alignas(SecretText) std::array<char, sizeof(SecretText)> storage{};
  auto* const secret = new (storage.data()) SecretText(std::string(kShort));
  const SecretText moved = std::move(*secret);
  EXPECT_EQ(raw(storage).find(kShort.substr(0, 4)), std::string_view::npos);
  EXPECT_EQ(moved.reveal(), kShort);
  secret->~SecretText();
}

}  // namespace
}  // namespace sealpost
