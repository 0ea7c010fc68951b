// HttpSender by libcurl: one multi handle driven by epoll, and connections kept in sets, so that
// a request is not looked for among all that are in flight (docs/decisions/0018).
//
// What it guarantees about every request:
// - Its address passed the AddressPolicy: the binary address when a socket is opened (so no
// spelling of a host
//   and no second DNS answer gets around it), and again when a kept connection is reused.
// - It was sent at most once. libcurl would silently send a request again when a kept connection
// dies
//   before an answer; the receiver may have worked on the first one, so that is an attempt of its
//   own here: connection_lost. Only if not a byte had been written it is sent over a new
//   connection.
// - Redirects are never followed; TLS is 1.2 or newer and verified; nothing is decompressed;
// response headers
//   and body are read up to the limits in core/limits.h, the body for kResponseBodyTime at most.
//
// Connections are kept per receiver, up to max_connections of them and one more per set of
// receivers (kReceiverShares). One that was idle for kConnectionIdle, or has lived for its
// lifetime, is not used again, and is closed when the next connection of its set is made. TLS
// sessions are resumed (curl_http_sender_shares.h). Receivers that offer HTTP/2 get it, with one
// request at a time on a connection (docs/decisions/0010).
//
// With a proxy all connections go to it and to nothing else, by CONNECT. Then our check only sees
// the proxy; the proxy must judge the addresses behind it (Smokescreen does: its refusal is
// reported as blocked_by_policy).
//
// Threads: as HttpSender. Errors: the constructor throws std::runtime_error if libcurl or epoll
// cannot be set up, std::invalid_argument for an unusable proxy; later everything is an outcome.
// Sources: libcurl's manual pages, found true or false on 7.88.1 where a comment says so; RFC 9110.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "core/address_policy.h"
#include "core/limits.h"
#include "dispatcher/http_sender.h"

namespace sealpost {

enum class AllowHttp { no, yes };  // plain http:// besides https://

struct CurlSenderOptions {
  AddressPolicy address_policy;
  AllowHttp allow_http = AllowHttp::no;
  int max_connections = kDefaultMaxInFlight;  // kept open, idle ones included
  std::chrono::seconds connection_lifetime = kConnectionLifetime;
  std::optional<std::string> proxy;  // "http://proxy.example:4750"; nullopt: none, whatever the
                                     // environment says
  std::string ca_file;               // PEM; empty: the system's
};

class CurlHttpSender final : public HttpSender {
 public:
  CurlHttpSender(CurlSenderOptions options, const Clock& clock);
  ~CurlHttpSender() override;

  void start(std::uint64_t tag, HttpRequest request) override;
  void poll(Milliseconds timeout, std::vector<FinishedRequest>& finished) override;
  void wake() override;
  int in_flight() const override;

  // From now on this policy holds, also for connections that are kept.
  void replace_address_policy(AddressPolicy policy);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealpost
