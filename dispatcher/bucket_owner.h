// Which dispatcher prefers which endpoints. An endpoint falls into one of 256 buckets (the schema
// computes it); each bucket belongs to the live dispatcher with the highest weight for it
// (rendezvous hashing). So all dispatchers agree without talking, and when one comes or goes only
// its own share moves.
//
// Preference only: if two disagree for a moment, the lease on the row still decides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.h"

namespace sealpost {

inline constexpr int kBucketCount = 256;  // `& 255` in migrations/0001, webhook_endpoints.bucket

// Whether `bucket` is among these, which are ascending.
inline bool owns(std::span<const std::int16_t> buckets, std::int16_t bucket) {
  return std::binary_search(buckets.begin(), buckets.end(), bucket);
}

// The dispatcher of each bucket. Empty if nobody is alive.
std::vector<Epoch> bucket_owners(std::span<const Epoch> live);

// The buckets of `self` among `live`, ascending. Empty if `self` is not alive.
std::vector<std::int16_t> owned_buckets(Epoch self, std::span<const Epoch> live);

}  // namespace sealpost
