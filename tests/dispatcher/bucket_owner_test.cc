#include "dispatcher/bucket_owner.h"

#include <gmock/gmock.h>

#include <map>

namespace sealpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::map<std::int16_t, Epoch> owners(const std::vector<Epoch>& live) {
  std::map<std::int16_t, Epoch> owner;
  for (const Epoch epoch : live) {
    for (const std::int16_t bucket : owned_buckets(epoch, live)) {
      EXPECT_TRUE(owner.emplace(bucket, epoch).second) << "two owners of bucket " << bucket;
    }
  }
  return owner;
}

TEST(BucketOwnerTest, OneDispatcherOwnsEverything) {
  const Epoch only[] = {7};
  EXPECT_THAT(owned_buckets(7, only), SizeIs(256));
}

TEST(BucketOwnerTest, WhoIsNotAliveOwnsNothing) {
  const Epoch others[] = {7, 8};
  EXPECT_THAT(owned_buckets(9, others), IsEmpty());
  EXPECT_THAT(owned_buckets(9, {}), IsEmpty());
}

TEST(BucketOwnerTest, EveryBucketHasExactlyOneOwner) {
  for (const std::vector<Epoch>& live :
       {std::vector<Epoch>{1, 2}, {1, 2, 3}, {100, 7, 3000000000, 8, 9}}) {
    EXPECT_THAT(owners(live), SizeIs(256));
  }
}

TEST(BucketOwnerTest, TheOrderOfTheListDoesNotMatter) {
  EXPECT_EQ(owners({1, 2, 3}), owners({3, 1, 2}));
}

TEST(BucketOwnerTest, NeighboringEpochsShareFairly) {
  const std::vector<Epoch> live{41, 42, 43, 44};
  for (const Epoch epoch : live) {
    const std::size_t share = owned_buckets(epoch, live).size();
    EXPECT_GT(share, 40u);
    EXPECT_LT(share, 90u);
  }
}

TEST(BucketOwnerTest, OnlyTheShareOfTheDeadMoves) {
  const auto before = owners({1, 2, 3, 4});
  const auto after = owners({1, 2, 4});
  for (const auto& [bucket, owner] : before) {
    if (owner != 3) {
      EXPECT_EQ(after.at(bucket), owner) << "bucket " << bucket;
    }
  }
}

}  // namespace
}  // namespace sealpost
