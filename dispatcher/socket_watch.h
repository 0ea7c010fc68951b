// Waits for sockets by epoll, and for wake().
//
// A socket of a kept connection is wanted and unwanted with every request. For sockets that
// announce their opening and closing here, becoming unwanted costs no system call: they stay
// registered, and are taken out only if something happens on them after all. Saves two calls, about
// 1 µs, per request.
//
// Threads: one, except wake().
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace sealpost {

class SocketWatch {
 public:
  SocketWatch();  // throws std::runtime_error
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  void opened(int fd);
  void closing(int fd);
  int announced() const { return announced_; }  // opened and not closed yet

  // `events`: EPOLLIN, EPOLLOUT, both, or 0 for unwanted.
  void want(int fd, std::uint32_t events);

  struct Ready {
    int fd;
    std::uint32_t events;
  };
  // Waits for up to `timeout` and replaces `ready`.
  void wait(Milliseconds timeout, std::vector<Ready>& ready);

  void wake();

 private:
  struct Watched {
    std::uint32_t registered = 0;
    std::uint32_t wanted = 0;
    bool announced = false;
  };
  Watched& at(int fd);
  void register_events(int fd, std::uint32_t events);

  int epoll_ = -1;
  int wake_ = -1;
  int announced_ = 0;
  std::vector<Watched> watched_;  // by descriptor
};

}  // namespace sealpost
