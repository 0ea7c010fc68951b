#include "bench/sick_receiver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

enum class Sickness { hangs, trickles, resets };

Sickness sickness_of(int endpoint) { return static_cast<Sickness>(endpoint % 3); }

// A status line and the beginning of a header that does not end.
constexpr std::string_view kTrickled = "HTTP/1.1 200 OK\r\nx: ";

std::string address(int endpoint) { return fmt::format("127.0.2.{}", endpoint + 1); }

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// On `port`, or on a free one if it is 0; that is stored there.
int listen_at(const std::string& host, int& port) {
  const int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &name.sin_addr);
  socklen_t size = sizeof name;
  checked(bind(fd, reinterpret_cast<sockaddr*>(&name), size), "bind");
  checked(listen(fd, 4096), "listen");
  checked(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  port = ntohs(name.sin_port);
  return fd;
}

}  // namespace

struct SickReceiver::Parts {
  explicit Parts(int endpoints) : epoll(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    for (int n = 0; n < endpoints; ++n) {
      const int fd = listen_at(address(n), port);
      listeners.emplace(fd, sickness_of(n));
      watch(fd);
    }
    thread = std::thread([this] { run(); });
  }

  ~Parts() {
    stopping = true;
    thread.join();
    for (const auto& [fd, patient] : patients) close(fd);
    for (const auto& [fd, sickness] : listeners) close(fd);
    close(epoll);
  }

  struct Patient {
    Sickness sickness;
    std::size_t written = 0;  // of what trickles
  };

  void watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void run() {
    auto next_byte = Monotonic::now();
    while (!stopping) {
      std::array<epoll_event, 64> events;
      const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        const auto listener = listeners.find(fd);
        listener != listeners.end() ? accept_all(fd, listener->second) : read_from(fd);
      }
      if (Monotonic::now() < next_byte) continue;
      next_byte += std::chrono::seconds(1);
      trickle();
    }
  }

  void accept_all(int listener, Sickness sickness) {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) return;
      patients.emplace(fd, Patient{.sickness = sickness});
      watch(fd);
    }
  }

  void read_from(int fd) {
    std::array<char, 16'384> discarded;
    const auto size = read(fd, discarded.data(), discarded.size());
    if (size < 0 && errno == EAGAIN) return;
    if (size > 0 && patients.at(fd).sickness != Sickness::resets) return;
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    patients.erase(fd);
  }

  void trickle() {
    for (auto& [fd, patient] : patients) {
      if (patient.sickness != Sickness::trickles) continue;
      const char next = patient.written < kTrickled.size() ? kTrickled[patient.written] : 'x';
      if (send(fd, &next, 1, MSG_NOSIGNAL) == 1) ++patient.written;
    }
  }

  int epoll;
  int port = 0;
  std::unordered_map<int, Sickness> listeners;
  std::unordered_map<int, Patient> patients;  // connections, by their descriptors
  std::atomic<bool> stopping = false;
  std::thread thread;
};

SickReceiver::SickReceiver(int endpoints) : parts_(std::make_unique<Parts>(endpoints)) {}

SickReceiver::~SickReceiver() = default;

std::string SickReceiver::url(int endpoint) const {
  return fmt::format("http://{}:{}/hook", address(endpoint), parts_->port);
}

}  // namespace sealpost
