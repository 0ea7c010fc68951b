// Keys of the advisory locks that Sealpost takes, all until the end of a transaction. They are
// shared by everything in a database, so they begin with "spost" in ASCII rather than with 1.
#pragma once

#include <cstdint>

namespace sealpost {

inline constexpr std::int64_t kLockBase = 0x73706f7374'000000;
inline constexpr std::int64_t kMigrationLock = kLockBase + 1;    // one migrates
inline constexpr std::int64_t kIntakeLock = kLockBase + 2;       // one takes events in
inline constexpr std::int64_t kMaintenanceLock = kLockBase + 3;  // one makes and drops partitions
inline constexpr std::int64_t kRegistryLock = kLockBase + 4;     // one starts under a name

}  // namespace sealpost
