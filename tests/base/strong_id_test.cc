#include "base/strong_id.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace sealpost {
namespace {

using CatId = StrongId<struct CatIdTag>;
using DogId = StrongId<struct DogIdTag>;

static_assert(!std::is_convertible_v<CatId, DogId>);
static_assert(!std::is_constructible_v<CatId, DogId>);
static_assert(!std::is_convertible_v<std::string, CatId>);

TEST(StrongIdTest, IsItsText) {
  EXPECT_TRUE(CatId().empty());
  EXPECT_EQ(CatId("cat_1").text(), "cat_1");
  EXPECT_EQ(CatId("cat_1"), CatId("cat_1"));
  EXPECT_LT(CatId("cat_1"), CatId("cat_2"));
}

TEST(StrongIdTest, CanBeAKeyOfHashTables) {
  const std::unordered_set<CatId> cats = {CatId("a"), CatId("b"), CatId("a")};
  EXPECT_EQ(cats.size(), 2u);
  EXPECT_TRUE(cats.contains(CatId("b")));
}

}  // namespace
}  // namespace sealpost
