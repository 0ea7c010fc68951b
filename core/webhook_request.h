// Builds the HTTP request of one attempt: body, headers, signature. Done last, right before the
// request is handed to the transport, because some receivers tolerate only seconds between
// signature and arrival.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/delivery.h"
#include "core/endpoint.h"

namespace sealpost {

// What is sent. Owns its strings: a transport may read them for as long as it holds the request.
struct HttpRequest {
  std::string url;
  std::vector<Header> headers;  // complete, without Host and Content-Length
  std::string body;
  Milliseconds timeout = kDefaultRequestTimeout;
};

// An endpoint made ready for sending: the settings, and the signer compiled from them. Immutable;
// shared between the threads of a dispatcher.
struct PreparedEndpoint {
  Endpoint endpoint;
  std::shared_ptr<const Signer> signer;
};

// Throws std::invalid_argument if the signer cannot be made (see Signer).
std::shared_ptr<const PreparedEndpoint> prepare(Endpoint endpoint);

// Makes requests. Belongs to one thread (it keeps a MAC context).
class RequestBuilder {
 public:
  RequestBuilder();
  ~RequestBuilder();

  // The request, or why this payload cannot be sent to this endpoint.
  std::variant<HttpRequest, FailureReason> build(const LeasedDelivery& delivery,
                                                 const PreparedEndpoint& endpoint, WallTime now);

 private:
  struct Macs;
  std::unique_ptr<Macs> macs_;
};

// "wh_" + event id + "-retry-" + generation: the same for all attempts of a generation.
std::string idempotency_key(const EventId& event, int generation);

}  // namespace sealpost
