// A receiver that is never the bottleneck: nginx with one worker on a loopback port, answering 200
// to every request, connections kept. Its configuration and its files live in a directory of their
// own.
//
// nginx answers before it has looked at the body; the body arrives with the headers in one read and
// is discarded. It counts requests (stub_status), which shows whether each delivery was made
// exactly once.
//
// By TLS it speaks 1.3 only and has one certificate for all its names.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sealpost {

inline constexpr int kReceiverEndpoints = 64;

enum class Transport { plain, tls };

class FastReceiver final {
 public:
  // Starts nginx and waits until it answers. Throws std::runtime_error with its log otherwise.
  explicit FastReceiver(const std::filesystem::path& directory,
                        Transport transport = Transport::plain);
  ~FastReceiver();

  // Of endpoint 0, 1, … below kReceiverEndpoints: "http://127.0.1.N:PORT/hook", or https. Each has
  // an address of its own, as receivers have in the world, so that a sender cannot share
  // connections between endpoints.
  std::string url(int endpoint) const;
  std::vector<std::string> urls() const;  // of all of them
  // Of host 0, 1, … without end: "https://hN.bench.localhost:PORT/hook", with Transport::tls.
  // libcurl finds names below .localhost by itself, at 127.0.0.1 and ::1; no resolver is asked.
  std::string url_of_host(int host) const;
  // What to trust, with Transport::tls; else empty.
  std::string ca_file() const;
  // Requests answered so far, without those that asked this question.
  std::int64_t requests();
  pid_t pid() const;  // of the master; the worker is its child

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
