// One request at a time on one reusable curl easy handle: its options, its callbacks, and what came
// of it. Used by CurlHttpSender only.
//
// Belongs to one thread. Must not move: libcurl holds its address.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "dispatcher/address_guard.h"
#include "dispatcher/curl_http_sender.h"
#include "dispatcher/curl_http_sender_shares.h"
#include "dispatcher/socket_watch.h"

namespace sealpost {

// What all transfers of a sender share.
struct TransferSurroundings {
  const CurlSenderOptions& options;
  const AddressGuard& guard;
  SocketWatch& sockets;
  CurlShares& shares;
  std::vector<class Transfer*>& got_headers;  // transfers whose final headers just came
  const Clock& clock;
};

class Transfer {
 public:
  explicit Transfer(const TransferSurroundings& surroundings);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void* easy() const { return easy_; }

  // Loads the next request. False if it may not be sent as it is (line breaks in a header): then
  // finish() says so.
  bool prepare(std::uint64_t tag, HttpRequest request);

  // What came of it, from libcurl's result. From now on the transfer is free for the next one.
  FinishedRequest finish(int curl_code);

  bool in_use() const { return in_use_; }
  // Tells this request from an earlier one on the same handle.
  std::uint64_t serial() const { return serial_; }

 private:
  struct Callbacks;
  friend struct Callbacks;

  void set_constant_options();
  void set_authorities(const std::string& file);
  void set_method();
  bool add_header_lines();
  void take_header_line(std::string_view line);
  bool take_body(std::string_view bytes);
  bool may_send_on(const std::optional<SocketAddress>& address);
  AttemptOutcome answered(int curl_code);
  AttemptOutcome failed(int curl_code) const;
  AttemptError classify(int curl_code) const;
  AttemptError classify_timeout() const;
  std::string describe(AttemptError error, int curl_code) const;
  AttemptPhases phases() const;
  long long time_info(int info) const;

  const TransferSurroundings& surroundings_;
  void* easy_;
  CurlShares::Share* taken_ = nullptr;  // while in use
  void* share_ = nullptr;               // that of the last request
  std::array<char, 256> error_text_{};  // CURL_ERROR_SIZE

  // Kept between requests for their memory: the lines "Name: value", and libcurl's list of them.
  struct HeaderList;
  std::unique_ptr<HeaderList> header_list_;

  HttpRequest request_;
  HttpMethod method_ = HttpMethod::post;  // as libcurl has it
  bool in_use_ = false;
  std::uint64_t tag_ = 0;
  std::uint64_t serial_ = 0;
  WallTime started_at_;
  MonotonicTime started_;
  bool bad_header_ = false;

  std::optional<SocketAddress> remote_;  // where it was sent
  bool connecting_ = false;              // to an address that is allowed
  bool blocked_ = false;                 // every address was refused, or the kept connection's
  bool died_on_reuse_ = false;           // and must not be sent again
  bool proxy_refused_ = false;           // X-Smokescreen-Error

  std::size_t header_bytes_ = 0;
  bool too_many_headers_ = false;
  int status_code_ = 0;         // of the newest status line, interim ones included
  bool final_headers_ = false;  // all of them are there
  std::optional<Milliseconds> retry_after_;
  std::vector<Header> consent_headers_;
  std::size_t body_bytes_ = 0;
  std::size_t kept_body_bytes_ = 0;
  std::string body_;  // its first kept_body_bytes_
};

}  // namespace sealpost
