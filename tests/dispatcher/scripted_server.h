// A TCP server on a free port of 127.0.0.1 whose connections are handled by a function of the test,
// byte by byte: for everything that a proper HTTP server would not do. One thread per connection.
//
// Threads: the script runs on the connections' threads; everything else is safe from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sealpost {

class Connection {
 public:
  Connection(int fd, int number) : fd_(fd), number_(number) {}

  int number() const { return number_; }  // from 1, in the order of acceptance

  // Head and body of the next request; nullopt when the other side closed.
  std::optional<std::string> read_request();
  // False when the other side does not read any more.
  bool send(std::string_view bytes);
  void wait_until_closed();
  // Sends no more, and returns when the other side's kernel knows it: whoever looks at the
  // connection from then on finds it ended.
  void end();

 private:
  int fd_;
  int number_;
  std::string buffer_;
};

class ScriptedServer {
 public:
  // The connection is closed when the script returns.
  using Script = std::function<void(Connection&)>;
  explicit ScriptedServer(Script script);
  ~ScriptedServer();

  int port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  int connections() const { return connections_; }

 private:
  void accept_all();
  void serve(int fd, int number);

  Script script_;
  int listener_;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Answers every request on the connection like this.
ScriptedServer::Script always(std::string answer);

}  // namespace sealpost
