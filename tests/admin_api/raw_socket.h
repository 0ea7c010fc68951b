// A client socket on loopback, for requests that no HTTP client would make.
#pragma once

#include <string>

namespace sealpost {

class RawSocket {
 public:
  explicit RawSocket(int port);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // False if the server closed.
  bool send(const std::string& bytes) const;
  // Everything until the server closes; gives up after 20 s.
  std::string read_to_end() const;

 private:
  int descriptor_;
};

}  // namespace sealpost
