// A connected socket on which nobody can keep us waiting or make us swallow without end: all waits
// together and all bytes have bounds, however slowly they drip.
//
// Threads: one, except cut_off_reading(), which may come from any while the object lives. Owns the
// descriptor: the destructor closes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"

namespace sealpost {

struct SocketBounds {
  Milliseconds first_byte_time{0};
  Milliseconds request_time{0};  // for everything that is read, from the first wait on
  Milliseconds write_time{0};    // from the first byte written
  std::size_t max_header_bytes = 0;
};

class BoundedSocket {
 public:
  BoundedSocket(int descriptor, SocketBounds bounds);
  ~BoundedSocket();
  BoundedSocket(const BoundedSocket&) = delete;
  BoundedSocket& operator=(const BoundedSocket&) = delete;

  // False: nothing came in time, or the peer is gone.
  bool wait_for_first_byte();

  // Bytes read, 0 at the end of the stream, -1 on an error, a passed deadline or too large headers.
  long read(char* to, std::size_t size);
  // `size`, or -1 if the peer did not take everything in time.
  long write(const char* from, std::size_t size);

  // Headers are complete; the body has so many bytes. Ends the limit on headers.
  void headers_end(std::size_t body_bytes);

  // Sends our end of stream, then reads what is left of the body (1 s, 16 MiB at most): closing a
  // socket with unread bytes resets it, and the peer could lose our answer.
  void finish();

  // Wakes a read that waits; what is being answered is still sent.
  void cut_off_reading();

 private:
  bool wait(short events, MonotonicTime deadline) const;
  bool fill_buffer(MonotonicTime deadline);

  const int descriptor_;
  const SocketBounds bounds_;
  const SystemClock clock_;  // real time on purpose: poll() waits in it
  const MonotonicTime started_;
  MonotonicTime write_deadline_{};
  std::vector<char> buffer_;
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  std::size_t header_bytes_ = 0;  // handed out before headers_end()
  bool in_headers_ = true;
  std::size_t body_left_ = 0;  // of the body, not handed out yet
};

}  // namespace sealpost
