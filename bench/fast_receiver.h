// A receiver that is never the bottleneck: nginx with one worker on a loopback port, answering 200
// to every request, connections kept. Its configuration and its files live in a directory of their
// own.
//
// nginx answers before it has looked at the body; the body arrives with the headers in one read and
// is discarded. It counts requests (stub_status), which shows whether each delivery was made
// exactly once.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace sealpost {

inline constexpr int kReceiverEndpoints = 64;

class FastReceiver final {
 public:
  // Starts nginx and waits until it answers. Throws std::runtime_error with its log otherwise.
  explicit FastReceiver(const std::filesystem::path& directory);
  ~FastReceiver();

  // Of endpoint 0, 1, … below kReceiverEndpoints: "http://127.0.1.N:PORT/hook". Each has an address
  // of its own, as receivers have in the world, so that a sender cannot share connections between
  // endpoints.
  std::string url(int endpoint) const;
  // Requests answered so far, without those that asked this question.
  std::int64_t requests();
  pid_t pid() const;  // of the master; the worker is its child

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
