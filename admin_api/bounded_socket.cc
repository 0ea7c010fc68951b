#include "admin_api/bounded_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sealpost {
namespace {

constexpr std::size_t kBufferBytes = 8 << 10;
constexpr std::size_t kMaxDiscardedBytes = 16 << 20;
constexpr Milliseconds kDiscardTime{1'000};

}  // namespace

BoundedSocket::BoundedSocket(int descriptor, SocketBounds bounds)
    : descriptor_(descriptor),
      bounds_(bounds),
      started_(clock_.monotonic_now()),
      buffer_(kBufferBytes) {}

BoundedSocket::~BoundedSocket() { ::close(descriptor_); }

bool BoundedSocket::wait_for_first_byte() {
  return fill_buffer(started_ + bounds_.first_byte_time);
}

long BoundedSocket::read(char* to, std::size_t size) {
  if (next_ == filled_ && !fill_buffer(started_ + bounds_.request_time)) {
    return filled_ == 0 ? 0 : -1;
  }
  const std::size_t count = std::min(size, filled_ - next_);
  if (in_headers_) {
    header_bytes_ += count;
    if (header_bytes_ > bounds_.max_header_bytes) return -1;
  } else {
    body_left_ -= std::min(body_left_, count);
  }
  std::memcpy(to, buffer_.data() + next_, count);
  next_ += count;
  return static_cast<long>(count);
}

long BoundedSocket::write(const char* from, std::size_t size) {
  if (write_deadline_ == MonotonicTime{}) {
    write_deadline_ = clock_.monotonic_now() + bounds_.write_time;
  }
  std::size_t sent = 0;
  while (sent < size) {
    const ssize_t count =
        ::send(descriptor_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return -1;
    } else if (!wait(POLLOUT, write_deadline_)) {
      return -1;
    }
  }
  return static_cast<long>(size);
}

void BoundedSocket::headers_end(std::size_t body_bytes) {
  in_headers_ = false;
  body_left_ = body_bytes;
}

void BoundedSocket::finish() {
  ::shutdown(descriptor_, SHUT_WR);
  body_left_ = std::min(body_left_, kMaxDiscardedBytes);
  body_left_ -= std::min(body_left_, filled_ - next_);
  const MonotonicTime deadline = clock_.monotonic_now() + kDiscardTime;
  while (body_left_ > 0 && fill_buffer(deadline)) body_left_ -= std::min(body_left_, filled_);
}

void BoundedSocket::cut_off_reading() { ::shutdown(descriptor_, SHUT_RD); }

bool BoundedSocket::wait(short events, MonotonicTime deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - clock_.monotonic_now());
    if (left.count() <= 0) return false;
    pollfd waited{descriptor_, events, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool BoundedSocket::fill_buffer(MonotonicTime deadline) {
  next_ = filled_ = 0;
  while (wait(POLLIN, deadline)) {
    const ssize_t count = ::recv(descriptor_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count > 0) {
      filled_ = static_cast<std::size_t>(count);
      return true;
    }
    if (count == 0 || (errno != EINTR && errno != EAGAIN)) return false;
  }
  return false;
}

}  // namespace sealpost
