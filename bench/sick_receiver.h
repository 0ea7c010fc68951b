// Endpoints that do not work, each at an address of its own: they take connections and requests and
// never answer one properly. They take turns in how: the first hangs, the second answers one byte a
// second, the third resets the connection once the request arrived, the fourth hangs, …
//
// Threads: one of its own; it costs next to nothing, whatever is sent to it. Errors:
// std::system_error if it cannot listen.
#pragma once

#include <memory>
#include <string>

namespace sealpost {

class SickReceiver final {
 public:
  explicit SickReceiver(int endpoints);  // at most 254
  ~SickReceiver();

  std::string url(int endpoint) const;  // "http://127.0.2.N:PORT/hook"

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
