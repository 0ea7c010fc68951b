// The part of Transfer that says what went wrong, from libcurl's result and what we saw ourselves.
#include <curl/curl.h>

#include <algorithm>

#include "dispatcher/curl_http_sender_transfer.h"

namespace sealpost {

AttemptError Transfer::classify(int curl_code) const {
  if (bad_header_) return AttemptError::internal;
  if (blocked_ || proxy_refused_) return AttemptError::blocked_by_policy;
  if (died_on_reuse_) return AttemptError::connection_lost;
  if (too_many_headers_) return AttemptError::bad_response;
  const bool was_sent = remote_.has_value();
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return AttemptError::dns;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return AttemptError::connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
      return AttemptError::tls;
    case CURLE_OPERATION_TIMEDOUT:
      return classify_timeout();
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_FAIL_REWIND:
      return was_sent ? AttemptError::connection_lost : AttemptError::connect;
    case CURLE_UNSUPPORTED_PROTOCOL:  // a scheme that is not allowed; or, once sent, an HTTP/0.9
                                      // answer
      return was_sent ? AttemptError::bad_response : AttemptError::blocked_by_policy;
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:  // a user name in the URL
      return AttemptError::blocked_by_policy;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_SSL_CACERT_BADFILE:
      return AttemptError::internal;
    default:
      return was_sent ? AttemptError::bad_response : AttemptError::internal;
  }
}

// Two clocks end a request with the same code: the endpoint's timeout, and the shorter one for
// connecting.
AttemptError Transfer::classify_timeout() const {
  const auto elapsed = surroundings_.clock.monotonic_now() - started_;
  if (remote_ || elapsed >= request_.timeout) return AttemptError::timeout;
  if (time_info(CURLINFO_NAMELOOKUP_TIME_T) == 0) return AttemptError::dns;
  return time_info(CURLINFO_CONNECT_TIME_T) == 0 ? AttemptError::connect : AttemptError::tls;
}

// For the endpoint's owner. Says nothing about a refused address: whether it exists is not theirs
// to know. Never the URL: its query may hold credentials.
std::string Transfer::describe(AttemptError error, int curl_code) const {
  if (bad_header_) return "a header holds a line break and was not sent";
  if (proxy_refused_) return "the egress proxy refused this address";
  if (error == AttemptError::blocked_by_policy) return "this address may not be called";
  if (died_on_reuse_) return "the kept connection was closed before an answer came";
  if (too_many_headers_) return "the response's headers are over the limit";
  const bool quotes_url = curl_code == CURLE_URL_MALFORMAT;
  std::string text = error_text_[0] != '\0' && !quotes_url
                         ? error_text_.data()
                         : curl_easy_strerror(static_cast<CURLcode>(curl_code));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace sealpost
