// `sealpost healthcheck`: asks a listener on this machine and turns its answer into an exit code,
// so that a container needs no curl. One HTTP/1.0 request; the first line of the answer is all it
// reads.

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "cli/commands.h"

namespace sealpost {
namespace {

constexpr timeval kPatience{.tv_sec = 3, .tv_usec = 0};

class Socket {
 public:
  explicit Socket(const addrinfo& address)
      : fd_(socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol)) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    connected_ = connect(fd_, address.ai_addr, address.ai_addrlen) == 0;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd_); }

  // The whole answer, as far as it is needed; empty if none came.
  std::string exchange(std::string_view request) {
    std::string answer;
    if (!connected_ || send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return answer;
    std::array<char, 1024> buffer{};
    while (answer.size() < 4 * buffer.size()) {
      const ssize_t n = recv(fd_, buffer.data(), buffer.size(), 0);
      if (n <= 0) break;
      answer.append(buffer.data(), static_cast<size_t>(n));
    }
    return answer;
  }

 private:
  int fd_;
  bool connected_ = false;
};

// A listener on all addresses is asked on this machine's own.
std::string host_to_ask(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

}  // namespace

int healthcheck(const std::string& address, HealthQuestion question) {
  const size_t colon = address.rfind(':');
  const std::string host = host_to_ask(address.substr(0, colon));
  const std::string port = address.substr(colon + 1);
  const char* path = question == HealthQuestion::live ? "/livez" : "/readyz";

  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    fmt::print(stderr, "sealpost: {}: {}\n", address, gai_strerror(error));
    return kExitFailed;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  const std::string answer =
      Socket(*addresses)
          .exchange(fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", path,
                                address));
  if (answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200")) return kExitOk;
  if (answer.empty()) {
    fmt::print(
        stderr,
        "sealpost: nothing answers on {}. Is it running, with this SEALPOST_METRICS_LISTEN?\n",
        address);
    return kExitFailed;
  }
  const size_t body = answer.find("\r\n\r\n");
  fmt::print(stderr, "sealpost: {} says no: {}\n", path,
             body == std::string::npos ? answer : answer.substr(body + 4));
  return kExitFailed;
}

}  // namespace sealpost
