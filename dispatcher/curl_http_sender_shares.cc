#include "dispatcher/curl_http_sender_shares.h"

#include <curl/curl.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace sealpost {
namespace {

// "https://host:port" of a URL; URLs are stored in one spelling.
std::string_view origin_of(std::string_view url) {
  const std::size_t authority = url.find("://");
  if (authority == std::string_view::npos) return url;
  return url.substr(0, url.find_first_of("/?#", authority + 3));
}

void* new_share() {
  void* share = curl_share_init();
  for (const auto what : {CURL_LOCK_DATA_SSL_SESSION, CURL_LOCK_DATA_CONNECT}) {
    if (share == nullptr || curl_share_setopt(share, CURLSHOPT_SHARE, what) != CURLSHE_OK) {
      throw std::runtime_error("libcurl cannot share connections and TLS sessions");
    }
  }
  return share;
}

}  // namespace

CurlShares::~CurlShares() {
  for (const Share& share : shares_) curl_share_cleanup(share.handle);
}

CurlShares::Share& CurlShares::take(std::string_view url) {
  const std::size_t home = std::hash<std::string_view>{}(origin_of(url)) % shares_.size();
  std::size_t at = home;
  while (shares_[at].requests >= kRequestsPerShare) {
    at = (at + 1) % shares_.size();
    if (at == home) break;  // all are full
  }
  Share& share = shares_[at];
  if (share.handle == nullptr) share.handle = new_share();
  ++share.requests;
  return share;
}

}  // namespace sealpost
