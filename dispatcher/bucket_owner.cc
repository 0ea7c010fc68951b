#include "dispatcher/bucket_owner.h"

#include <algorithm>

namespace sealpost {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit changes half of the output
// bits. Epochs are small neighboring numbers; without mixing they would share the buckets unevenly.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t weight(Epoch epoch, int bucket) {
  return mixed(mixed(static_cast<std::uint64_t>(epoch)) + static_cast<std::uint64_t>(bucket));
}

Epoch owner(int bucket, std::span<const Epoch> live) {
  return *std::max_element(live.begin(), live.end(), [bucket](Epoch a, Epoch b) {
    const std::uint64_t of_a = weight(a, bucket);
    const std::uint64_t of_b = weight(b, bucket);
    return of_a != of_b ? of_a < of_b : a < b;  // equal weights: everybody must pick the same one
  });
}

}  // namespace

std::vector<Epoch> bucket_owners(std::span<const Epoch> live) {
  std::vector<Epoch> owners;
  if (live.empty()) return owners;
  for (int bucket = 0; bucket < kBucketCount; ++bucket) owners.push_back(owner(bucket, live));
  return owners;
}

std::vector<std::int16_t> owned_buckets(Epoch self, std::span<const Epoch> live) {
  std::vector<std::int16_t> buckets;
  if (std::find(live.begin(), live.end(), self) == live.end()) return buckets;
  for (int bucket = 0; bucket < kBucketCount; ++bucket) {
    if (owner(bucket, live) == self) buckets.push_back(static_cast<std::int16_t>(bucket));
  }
  return buckets;
}

}  // namespace sealpost
