#include "tests/support/receiver_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sealpost {
namespace {

constexpr std::uint64_t kListenTag = 0;
constexpr std::uint64_t kWakeTag = 1;
constexpr std::uint64_t kFirstConnection = 2;
constexpr std::size_t kReadBytes = 64 << 10;

MonotonicTime now() { return SystemClock().monotonic_now(); }

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_delivery_id(std::string_view name) {
  return equal_ignoring_case(name, "webhook-id") || equal_ignoring_case(name, "idempotency-key");
}

std::string response_bytes(const Answer& answer) {
  std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) +
                      " Answer\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n";
  for (const auto& [name, value] : answer.headers) bytes += name + ": " + value + "\r\n";
  bytes += "\r\n";
  const bool stalls = answer.kind == Answer::Kind::stall;
  bytes += answer.body.substr(0, stalls ? answer.body.size() / 2 : std::string::npos);
  return bytes;
}

}  // namespace

ReceiverLoop::ReceiverLoop(ReceiverBook& book, Recording recording)
    : book_(book), recording_(recording), next_id_(kFirstConnection), read_buffer_(kReadBytes) {
  open();
  thread_ = std::thread([this] { run(); });
}

ReceiverLoop::~ReceiverLoop() {
  stopping_ = true;
  wake();
  thread_.join();
  for (const auto& [id, connection] : connections_) close(connection.fd);
  for (const int fd : {listen_fd_, epoll_fd_, wake_fd_}) close(fd);
}

void ReceiverLoop::wake() const { eventfd_write(wake_fd_, 1); }

void ReceiverLoop::open() {
  listen_fd_ = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  checked(listen(listen_fd_, SOMAXCONN), "listen");
  socklen_t size = sizeof address;
  checked(getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);

  epoll_fd_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  wake_fd_ = checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
  for (const auto& [fd, tag] : {std::pair{listen_fd_, kListenTag}, std::pair{wake_fd_, kWakeTag}}) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
    checked(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }
}

void ReceiverLoop::run() {
  std::array<epoll_event, 256> events{};
  while (!stopping_) {
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()),
                                 milliseconds_to_next());
    for (const epoll_event& event :
         std::span(events).first(static_cast<size_t>(std::max(count, 0)))) {
      const std::uint64_t tag = event.data.u64;  // a copy: epoll_event is packed
      const auto connection = connections_.find(tag);
      if (tag == kListenTag) {
        accept_all();
      } else if (tag == kWakeTag) {
        eventfd_t ignored = 0;
        eventfd_read(wake_fd_, &ignored);
        answer_released();
      } else if (connection == connections_.end()) {
        continue;  // closed by an earlier event of this batch
      } else if (event.events & EPOLLOUT) {
        write_to(connection->first, connection->second);
      } else {
        read_from(connection->first, connection->second);
      }
    }
    answer_due();
    if (std::exchange(changed_, false)) {
      const std::lock_guard lock(book_.mutex);
      book_.news.notify_all();
    }
  }
}

void ReceiverLoop::accept_all() {
  for (;;) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;  // none left, or the sender is gone already
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::uint64_t id = next_id_++;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = id}};
    checked(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    connections_[id].fd = fd;
  }
}

void ReceiverLoop::read_from(std::uint64_t id, Connection& connection) {
  const MonotonicTime read_at = now();
  const ssize_t got = recv(connection.fd, read_buffer_.data(), read_buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return close_connection(id);
  if (connection.in.empty()) connection.began_at = read_at;
  connection.in.append(read_buffer_.data(), static_cast<std::size_t>(got));
  take_request(id, connection);
}

void ReceiverLoop::take_request(std::uint64_t id, Connection& connection) {
  if (connection.busy || connection.stalled || connection.in.empty()) return;
  ParsedRequest request;
  const ParseResult result = parse_http_request(connection.in, request);
  if (result == ParseResult::incomplete) return;
  if (result == ParseResult::malformed) return close_connection(id);
  connection.busy = true;
  connection.keep_alive = request.keep_alive;
  Answer answer = record(connection, entry_for(connection, request));
  connection.in.erase(0, request.size);
  carry_out(id, connection, std::move(answer));
}

LedgerEntry ReceiverLoop::entry_for(const Connection& connection,
                                    const ParsedRequest& request) const {
  LedgerEntry entry;
  entry.began_at = connection.began_at;
  entry.complete_at = now();
  entry.arrived_at = SystemClock().wall_now();
  entry.method = request.method;
  entry.path = request.path;
  if (recording_ == Recording::everything) entry.body = request.body;
  for (const auto& [name, value] : request.headers) {
    if (recording_ == Recording::everything ||
        (recording_ == Recording::ids && is_delivery_id(name))) {
      entry.headers.insert_or_assign(lower_case(name), std::string(value));
    }
  }
  return entry;
}

Answer ReceiverLoop::record(Connection& connection, LedgerEntry entry) {
  changed_ = true;
  const std::lock_guard lock(book_.mutex);
  ++book_.requests;
  const auto behavior = book_.behaviors.find(entry.path);
  Answer answer = behavior == book_.behaviors.end() ? Answer{} : behavior->second(entry);
  if (answer.kind == Answer::Kind::hold && book_.released) answer.kind = Answer::Kind::respond;
  if (answer.kind == Answer::Kind::hold) ++book_.held;
  if (recording_ != Recording::totals) connection.position = book_.ledger.add(std::move(entry));
  return answer;
}

void ReceiverLoop::carry_out(std::uint64_t id, Connection& connection, Answer answer) {
  switch (answer.kind) {
    case Answer::Kind::respond:
      if (answer.delay.count() == 0) return respond(id, connection, answer);
      delayed_.emplace(now() + answer.delay, Waiting{id, std::move(answer)});
      return;
    case Answer::Kind::hold:
      holding_.push_back({id, std::move(answer)});
      return;
    case Answer::Kind::stall:
      return respond(id, connection, answer);
    case Answer::Kind::reset: {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return close_connection(id);
    }
    case Answer::Kind::close:
      return close_connection(id);
  }
}

void ReceiverLoop::respond(std::uint64_t id, Connection& connection, const Answer& answer) {
  connection.out = response_bytes(answer);
  connection.out_sent = 0;
  connection.status = answer.status;
  connection.stalled = answer.kind == Answer::Kind::stall;
  connection.answered_at = now();
  write_to(id, connection);
}

void ReceiverLoop::write_to(std::uint64_t id, Connection& connection) {
  switch (send_rest(connection)) {
    case Sent::failed:
      return close_connection(id);
    case Sent::part:
      return watch(id, connection, EPOLLOUT);
    case Sent::all:
      break;
  }
  if (!connection.keep_alive) return close_connection(id);
  if (connection.waits_for_room) watch(id, connection, EPOLLIN);
  connection.busy = false;
  connection.began_at = now();  // of a request that came before this answer left
  take_request(id, connection);
}

// Sends and notes the answer under one lock: whoever knows from elsewhere that the sender has the
// answer finds it in the ledger.
ReceiverLoop::Sent ReceiverLoop::send_rest(Connection& connection) {
  const std::lock_guard lock(book_.mutex);
  const std::size_t rest = connection.out.size() - connection.out_sent;
  const ssize_t sent =
      send(connection.fd, connection.out.data() + connection.out_sent, rest, MSG_NOSIGNAL);
  const bool failed = sent < 0 && errno != EAGAIN;
  connection.out_sent += static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  const bool all = connection.out_sent == connection.out.size();
  if (!failed && !all) return Sent::part;
  changed_ = true;
  if (recording_ != Recording::totals) {
    book_.ledger.answered(connection.position, connection.status, all && !connection.stalled,
                          connection.answered_at);
  }
  return failed ? Sent::failed : Sent::all;
}

void ReceiverLoop::watch(std::uint64_t id, Connection& connection, std::uint32_t events) const {
  connection.waits_for_room = (events & EPOLLOUT) != 0;
  epoll_event event{.events = events, .data = {.u64 = id}};
  checked(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, connection.fd, &event), "epoll_ctl");
}

void ReceiverLoop::close_connection(std::uint64_t id) {
  const auto found = connections_.find(id);
  close(found->second.fd);
  connections_.erase(found);
}

void ReceiverLoop::respond_to(const Waiting& waiting) {
  const auto found = connections_.find(waiting.connection);
  if (found != connections_.end()) respond(found->first, found->second, waiting.answer);
}

void ReceiverLoop::answer_due() {
  while (!delayed_.empty() && delayed_.begin()->first <= now()) {
    const Waiting waiting = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    respond_to(waiting);
  }
}

void ReceiverLoop::answer_released() {
  {
    const std::lock_guard lock(book_.mutex);
    if (!book_.released) return;
    book_.held = 0;
  }
  for (const Waiting& waiting : std::exchange(holding_, {})) respond_to(waiting);
}

int ReceiverLoop::milliseconds_to_next() const {
  if (delayed_.empty()) return -1;
  const auto rest = std::chrono::ceil<Milliseconds>(delayed_.begin()->first - now());
  return static_cast<int>(std::max<std::int64_t>(rest.count(), 0));
}

}  // namespace sealpost
