// The thread behind tests/support/receiver.h: sockets, connections and timers. It owns nothing that
// another thread may see; what is shared stands in ReceiverBook.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "tests/support/http_request_parser.h"
#include "tests/support/ledger.h"
#include "tests/support/receiver.h"

namespace sealpost {

// What the tests and the receiver's thread share. Everything is guarded by `mutex`.
struct ReceiverBook {
  mutable std::mutex mutex;
  mutable std::condition_variable news;  // after every batch of requests or answers
  Ledger ledger;
  std::unordered_map<std::string, Behavior> behaviors;
  std::size_t requests = 0;
  std::size_t held = 0;
  bool released = false;
};

class ReceiverLoop {
 public:
  // Listens and starts the thread. Throws std::system_error.
  ReceiverLoop(ReceiverBook& book, Recording recording);
  ~ReceiverLoop();
  int port() const { return port_; }
  void wake() const;  // safe from any thread

 private:
  // One sender's connection. It has at most one request at a time that is not answered yet.
  struct Connection {
    int fd = -1;
    std::string in;
    std::string out;
    std::size_t out_sent = 0;
    bool waits_for_room = false;  // the socket's buffer was full
    bool busy = false;            // the current request is not answered yet
    bool stalled = false;         // stays open, says no more
    bool keep_alive = true;
    MonotonicTime began_at;    // first byte of the current request
    std::size_t position = 0;  // of the current request in the ledger
    int status = 0;
    MonotonicTime answered_at;
  };
  struct Waiting {
    std::uint64_t connection = 0;
    Answer answer;
  };
  enum class Sent { all, part, failed };

  void open();
  void run();
  void accept_all();
  void read_from(std::uint64_t id, Connection& connection);
  void take_request(std::uint64_t id, Connection& connection);
  LedgerEntry entry_for(const Connection& connection, const ParsedRequest& request) const;
  Answer record(Connection& connection, LedgerEntry entry);
  void carry_out(std::uint64_t id, Connection& connection, Answer answer);
  void respond(std::uint64_t id, Connection& connection, const Answer& answer);
  void write_to(std::uint64_t id, Connection& connection);
  Sent send_rest(Connection& connection);
  void watch(std::uint64_t id, Connection& connection, std::uint32_t events) const;
  void close_connection(std::uint64_t id);
  void answer_due();
  void answer_released();
  void respond_to(const Waiting& waiting);
  int milliseconds_to_next() const;

  ReceiverBook& book_;
  const Recording recording_;
  int listen_fd_ = -1;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};

  // Only the receiver's thread, from here.
  std::uint64_t next_id_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::multimap<MonotonicTime, Waiting> delayed_;
  std::vector<Waiting> holding_;
  std::vector<char> read_buffer_;
  bool changed_ = false;

  std::thread thread_;
};

}  // namespace sealpost
