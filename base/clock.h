// Time as the rest of the program sees it.
//
// Two clocks, never mixed: the wall clock for what is written down or put on the wire, the
// monotonic clock for intervals and deadlines. The schedule of deliveries uses neither: it runs by
// the database's clock (see core/delivery_store.h).
//
// Threads: every implementation is safe from any thread.
#pragma once

#include <chrono>
#include <string>

namespace sealpost {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
  virtual MonotonicTime monotonic_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall_now() const override;
  MonotonicTime monotonic_now() const override;
};

// "2026-05-27T09:00:00.000Z": UTC, cut to the millisecond. Source: RFC 3339. Years 0 to 9999.
std::string to_rfc3339(WallTime time);

}  // namespace sealpost
