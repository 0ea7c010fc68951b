#include "dispatcher/socket_watch.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "base/check.h"

namespace sealpost {
namespace {

int opened_or_throw(int fd, const char* what) {
  if (fd >= 0) return fd;
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

SocketWatch::SocketWatch()
    : epoll_(opened_or_throw(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(opened_or_throw(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  want(wake_, EPOLLIN);
}

SocketWatch::~SocketWatch() {
  close(wake_);
  close(epoll_);
}

void SocketWatch::opened(int fd) {
  at(fd) = {.registered = 0, .wanted = 0, .announced = true};
  ++announced_;
}

// The kernel takes a closed descriptor out by itself.
void SocketWatch::closing(int fd) {
  at(fd) = {};
  --announced_;
}

void SocketWatch::want(int fd, std::uint32_t events) {
  Watched& watched = at(fd);
  watched.wanted = events;
  if (events == watched.registered) return;
  if (events == 0 && watched.announced) return;
  register_events(fd, events);
}

void SocketWatch::wait(Milliseconds timeout, std::vector<Ready>& ready) {
  std::array<epoll_event, 256> events;
  ready.clear();
  const int count =
      epoll_wait(epoll_, events.data(), events.size(), static_cast<int>(timeout.count()));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int fd = event.data.fd;
    if (fd == wake_) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t drained = read(wake_, &ignored, sizeof(ignored));
    } else if (at(fd).wanted == 0) {
      register_events(fd, 0);  // an idle connection: usually its other end closed it
    } else {
      ready.push_back({fd, event.events});
    }
  }
}

void SocketWatch::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the waiter is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

SocketWatch::Watched& SocketWatch::at(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watched_.size()) watched_.resize(index + 1);
  return watched_[index];
}

void SocketWatch::register_events(int fd, std::uint32_t events) {
  Watched& watched = at(fd);
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const int operation = events == 0               ? EPOLL_CTL_DEL
                        : watched.registered == 0 ? EPOLL_CTL_ADD
                                                  : EPOLL_CTL_MOD;
  int failed = epoll_ctl(epoll_, operation, fd, &event);
  // Registered, we thought, but closed behind our back, and the number given to a new socket.
  if (failed != 0 && errno == ENOENT && operation == EPOLL_CTL_MOD) {
    failed = epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  // Taking out what is closed already is no error.
  CHECK(failed == 0 || operation == EPOLL_CTL_DEL, "epoll refuses a socket that libcurl wants");
  watched.registered = events;
}

}  // namespace sealpost
