// Sends HTTP requests side by side. The seam to the network: CurlHttpSender is real, tests use
// tests/support/fake_http_sender.h.
//
// Threads: everything belongs to one thread, except wake().
#pragma once

#include <cstdint>
#include <vector>

#include "core/attempt.h"
#include "core/webhook_request.h"

namespace sealpost {

struct FinishedRequest {
  std::uint64_t tag = 0;
  AttemptOutcome outcome;
  WallTime started_at;
  MonotonicTime ended_at;
};

class HttpSender {
 public:
  virtual ~HttpSender() = default;

  // Starts a request. `tag` comes back with its outcome. Never fails: whatever goes wrong is an
  // outcome.
  virtual void start(std::uint64_t tag, HttpRequest request) = 0;

  // Waits up to `timeout` for something to happen and moves what ended to the end of `finished`.
  // Returns at once if something ended already or wake() was called since the last poll.
  virtual void poll(Milliseconds timeout, std::vector<FinishedRequest>& finished) = 0;

  // Makes a poll that is waiting, or the next one, return. Safe from any thread.
  virtual void wake() = 0;

  virtual int in_flight() const = 0;
};

}  // namespace sealpost
