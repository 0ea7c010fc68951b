// An HTTP/1.1 receiver inside the test: real sockets on 127.0.0.1, a free port, one epoll thread,
// any number of kept-alive connections. It writes down every request and answers as the test told
// it to.
//
// Behavior belongs to a path: each endpoint of a test has a path of its own and, by that, its own
// script. Paths without a script answer 200 with an empty body.
//
// Threads: the public methods are safe from any thread. Behaviors run on the receiver's thread and
// must not call back into it. Cost: 25 µs of CPU per 1 KiB request when everything is recorded (2
// cores, g++ 12 -O2).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "tests/support/ledger.h"

namespace sealpost {

// What happens to one request.
struct Answer {
  enum class Kind {
    respond,  // status, headers and body, after `delay`
    hold,     // nothing until release_held(), then as respond
    close,    // the connection is closed without an answer
    reset,    // the same by a TCP reset
    stall,    // status line, headers and half of the body that they announce; the rest never comes
  };
  Kind kind = Kind::respond;
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  Milliseconds delay{0};
};

using Behavior = std::function<Answer(const LedgerEntry&)>;

// Answers in turn, one per request; the last one again and again.
Behavior in_turn(std::vector<Answer> answers);

enum class Recording {
  everything,
  ids,     // of the headers only webhook-id and Idempotency-Key, and no body: for many requests
  totals,  // no ledger at all, only the number of requests
};

class Receiver {
 public:
  explicit Receiver(Recording recording = Recording::everything);
  ~Receiver();

  int port() const;
  std::string url(const std::string& path) const;  // "http://127.0.0.1:40123/path"

  void on(const std::string& path, Behavior behavior);
  void on(const std::string& path, std::vector<Answer> answers) {
    on(path, in_turn(std::move(answers)));
  }

  // Answers everything that is held, and holds no more: from now on hold means respond.
  void release_held();
  // Requests held since the start, or since release_held().
  std::size_t held() const;

  Ledger ledger() const;  // a copy of this moment's
  std::size_t requests() const;

  // Waits until the predicate holds; it is asked again after every batch of requests. False: time
  // is up. The predicate runs under the ledger's lock and must be quick.
  [[nodiscard]] bool wait_until(const std::function<bool(const Ledger&)>& predicate,
                                std::chrono::milliseconds timeout) const;
  [[nodiscard]] bool wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const;
  [[nodiscard]] bool wait_for_held(std::size_t count, std::chrono::milliseconds timeout) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealpost
