// What requests to the same receivers share: kept connections, and the TLS sessions that spare a
// new connection a full handshake, whichever handle makes it. The origins of receivers are spread
// over kReceiverShares sets (CURLSH), each used when first needed. Two limits of libcurl ask for
// it:
//
// - By itself libcurl remembers sessions per easy handle (five, before 8.12), and in a share only
//   eight; no option changes that. How long a session may be resumed is said by the receiver; the
//   name is verified every time, the certificate's chain only when a session begins.
// - After every request libcurl (7.88.1, close_connect_only) looks through the connections that
//   request might have used, and before one through those to its host. With one set for all, 740
//   requests to endpoints that hang cost the others 9 % of the network thread.
//
// Belongs to one thread. Must outlive the handles that use it.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/limits.h"

namespace sealpost {

class CurlShares {
 public:
  CurlShares() = default;
  ~CurlShares();
  CurlShares(const CurlShares&) = delete;
  CurlShares& operator=(const CurlShares&) = delete;

  struct Share {
    void* handle = nullptr;  // CURLSH
    int requests = 0;        // that use it
  };
  // That of the URL's origin for one request more, or the next one that has room: whoever has
  // thousands of requests in flight shall not have one set with thousands of connections. The
  // caller counts the request down when it is over. Throws std::runtime_error if libcurl gives
  // none.
  Share& take(std::string_view url);

 private:
  std::array<Share, kReceiverShares> shares_{};
};

}  // namespace sealpost
