// The TLS sessions that a sender remembers, so that a new connection to a receiver it knows needs
// no full handshake, whichever handle makes it.
//
// By itself libcurl remembers sessions per easy handle (five, before 8.12), and in a share of
// handles (CURLSH) only eight; no option changes that. So there are kTlsSessionShares shares, and a
// receiver's origin decides which one its requests use. How long a session may be resumed is said
// by the receiver; the name is verified every time, the certificate's chain only when a session
// begins.
//
// Belongs to one thread. Must outlive the handles that use it.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/limits.h"

namespace sealpost {

class TlsSessions {
 public:
  TlsSessions() = default;
  ~TlsSessions();
  TlsSessions(const TlsSessions&) = delete;
  TlsSessions& operator=(const TlsSessions&) = delete;

  // The CURLSH for requests to this URL. Throws std::runtime_error if libcurl gives none.
  void* share_for(std::string_view url);

 private:
  std::array<void*, kTlsSessionShares> shares_{};  // made when first needed
};

}  // namespace sealpost
