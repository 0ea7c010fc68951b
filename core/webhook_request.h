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
#include "core/sealed_packet.h"
#include "core/signer.h"

namespace sealpost {

// What is sent. Owns its strings: a transport may read them for as long as it holds the request.
enum class HttpMethod { post, options };

struct HttpRequest {
  HttpMethod method = HttpMethod::post;
  std::string url;
  std::vector<Header> headers;  // complete, without Host and Content-Length
  std::string body;
  Milliseconds timeout = kDefaultRequestTimeout;
  bool tls_1_3_only = false;  // else 1.2 will do
  // Set if the answer may be encrypted; then up to kMaxSealedResponse of it are wanted.
  std::shared_ptr<const SealedSession> sealed_session{};
};

// An endpoint made ready for sending: the settings, and the signers compiled from them. Immutable;
// shared between the threads of a dispatcher.
struct PreparedEndpoint {
  Endpoint endpoint;

  // One set and order of secrets.
  struct Signing {
    std::shared_ptr<const Signer> signer{};  // null if the endpoint cannot be used
    std::string key_ids{};  // of the secrets that sign, in their order, comma separated
    std::optional<SecretText> sealed_json_root{};  // for the profile sealed-json only
    std::string sealed_json_key_id{};
  };
  Signing usual{};  // all of them, the oldest last
  // While two secrets are valid (core/secret_rotation.h).
  struct Rotation {
    Signing new_last;
    Signing new_only;  // after the grace
    // Of key pairs: in the place of `usual` until verifiers had time to fetch the new public key.
    std::optional<Signing> old_only{};
  };
  std::optional<Rotation> rotation{};
};

// Throws std::invalid_argument if the signer cannot be made (see Signer), or if bodies are to be
// encrypted and there is no usable key.
std::shared_ptr<const PreparedEndpoint> prepare(Endpoint endpoint);

// Makes requests. Belongs to one thread (it keeps MAC contexts, buffers and ephemeral keys).
class RequestBuilder {
 public:
  explicit RequestBuilder(Random& random);  // which must outlive this

  // The request, or why this payload cannot be sent to this endpoint.
  std::variant<HttpRequest, FailureReason> build(const LeasedDelivery& delivery,
                                                 const PreparedEndpoint& endpoint, WallTime now);
  // The same with one of the endpoint's other sets of secrets.
  std::variant<HttpRequest, FailureReason> build(const LeasedDelivery& delivery,
                                                 const PreparedEndpoint& endpoint,
                                                 const PreparedEndpoint::Signing& signing,
                                                 WallTime now);

 private:
  // Puts the encrypted body in the place of the plain one and sets the value of enc=. False: this
  // body is too long for it.
  bool encrypt(const PreparedEndpoint& to, const Event& event, WallTime now, Body& body,
               std::string& enc);

  // Puts the packet in the place of the plain body, and adds its headers.
  std::shared_ptr<const SealedSession> seal(const PreparedEndpoint::Signing& with, WallTime now,
                                            Body& body);

  SigningTools tools_;
  Random& random_;
  BodyEncryptor encryptor_;
};

// Asks the receiver of such an endpoint for its consent (core/validation.h). No static headers:
// they are secrets, and nobody has said yet that they may be sent there. `callback` may be empty.
HttpRequest consent_request(const Endpoint& endpoint, const std::string& origin,
                            const std::string& callback);

// "wh_" + event id + "-retry-" + generation: the same for all attempts of a generation.
std::string idempotency_key(const EventId& event, int generation);

}  // namespace sealpost
