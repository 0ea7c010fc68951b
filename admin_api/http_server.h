// HTTP/1.1 in front of plain functions: the one place of the API that knows the HTTP library.
//
// One request per connection (the answer says Connection: close). The library gives every
// connection a thread, so that eight idle keep-alive connections of a browser would stop eight
// threads; a new local connection costs 0.1 ms. Range and Accept-Encoding are ignored.
//
// Threads: the handler is called from `threads` threads at once. start() and stop() belong to one
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/header_rules.h"
#include "core/limits.h"

namespace sealpost {

enum class BodyState {
  complete,    // read as sent (or there was none)
  too_large,   // over HttpServerOptions::max_body_bytes; `body` is empty
  unreadable,  // a content encoding or multipart, which nobody here takes; `body` is empty
};

struct ApiCall {
  std::string method;
  std::string path;                               // percent-decoded, without the query
  std::multimap<std::string, std::string> query;  // percent-decoded
  std::map<std::string, std::string> headers;     // names in lower case; the first one of a name
  std::string body;
  BodyState body_state = BodyState::complete;

  // The header's value, or an empty text.
  std::string_view header(const std::string& lower_case_name) const;
};

struct ApiAnswer {
  int status = 200;
  std::string content_type = {};  // empty: no body
  std::string body = {};
  std::vector<Header> headers = {};
};

struct HttpServerOptions {
  std::string listen;  // "127.0.0.1:8025", "[::1]:8025"; port 0: a free one
  int threads = 8;
  std::size_t max_body_bytes = kMaxApiBodyBytes;
  std::size_t max_header_bytes = 32 << 10;  // request line and all headers; 8 KiB per line
  std::chrono::milliseconds first_byte_time{
      2'000};  // a silent connection (a browser's spare) goes early
  std::chrono::milliseconds request_time{10'000};  // for the whole request to arrive
  std::chrono::milliseconds write_time{10'000};    // for the whole answer to be taken
};

class HttpServer {
 public:
  using Handler = std::function<ApiAnswer(const ApiCall&)>;
  // Answers what never became a request (malformed, over the limits), by the status that fits it.
  using Refusal = std::function<ApiAnswer(int status)>;

  // Both functions must not throw.
  HttpServer(HttpServerOptions options, Handler handler, Refusal refusal);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Throws std::runtime_error naming the address.
  void start();
  // Stops accepting, cuts off requests that are still arriving, lets running handlers answer.
  // Returns when they have. May be called again.
  void stop();
  int port() const;  // 0 before start()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealpost
