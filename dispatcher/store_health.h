// Whether the database answers. All threads of a dispatcher report here, so that an outage is one
// line in the log when it begins and one when it ends, not one per try and thread.
//
// Threads: safe from any thread; a Backoff belongs to one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "core/storage_error.h"

namespace sealpost {

class StoreHealth {
 public:
  explicit StoreHealth(const Clock& clock) : clock_(clock), reached_at_(clock.monotonic_now()) {}

  // `who`: "intake", "finish", …
  void reached(std::string_view who);
  // A conflict is no outage: it is only counted.
  void failed(std::string_view who, const StorageError& error);

  // nullopt while the store answers everybody; otherwise one sentence why not.
  std::optional<std::string> outage() const;
  std::uint64_t errors() const { return errors_.value(); }

 private:
  const Clock& clock_;
  Counter errors_;
  mutable std::mutex mutex_;
  std::map<std::string_view, std::string> failing_;  // who, and the error that began it
  MonotonicTime outage_began_;
  MonotonicTime reached_at_;
};

// How long to wait before the next try: 50 ms, doubled up to 2 s. No jitter: a dispatcher has a
// handful of connections, and dispatchers do not start their tries at the same moment.
class Backoff {
 public:
  static constexpr Milliseconds kFirst{50};
  static constexpr Milliseconds kLongest{2'000};
  static constexpr Milliseconds kAfterConflict{1};

  Milliseconds after(const StorageError& error) {
    if (error.kind() == StorageError::Kind::conflict) return kAfterConflict;
    const Milliseconds delay = next_;
    next_ = std::min(next_ * 2, kLongest);
    return delay;
  }
  void reset() { next_ = kFirst; }

 private:
  Milliseconds next_ = kFirst;
};

}  // namespace sealpost
