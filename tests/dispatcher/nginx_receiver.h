// nginx on free ports of 127.0.0.1, as a receiver that answers every request with what it knows
// about the request's connection: the judge of what the sender does with connections.
//
// Threads: one. Errors: std::runtime_error with what nginx printed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/running_program.h"

namespace sealpost {

struct NginxOptions {
  bool http2 = true;           // offered by ALPN, beside HTTP/1.1
  int keepalive_requests = 0;  // then the connection is closed; 0: nginx's default, 1,000
};

class NginxReceiver {
 public:
  explicit NginxReceiver(const NginxOptions& options = {});
  ~NginxReceiver();

  // The certificate is for localhost and *.test.localhost: libcurl takes all of them to 127.0.0.1.
  std::string url(const std::string& host = "localhost") const;
  std::string plain_url(const std::string& host = "localhost") const;

  // What an answer's body says.
  struct Seen {
    std::string protocol;      // "HTTP/2.0"
    bool resumed = false;      // the TLS session
    int connection = 0;        // a number that no other connection has
    int requests = 0;          // on this connection, with this one
    int open_connections = 0;  // of all clients, at that moment
  };
  static Seen seen(const std::string& body);

 private:
  bool start(const NginxOptions& options);

  std::filesystem::path directory_;
  int tls_port_ = 0;
  int plain_port_ = 0;
  std::unique_ptr<RunningProgram> nginx_;
};

}  // namespace sealpost
