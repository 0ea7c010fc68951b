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

}  // namespace

CurlShares::~CurlShares() {
  for (void* share : shares_) curl_share_cleanup(share);
}

void* CurlShares::share_for(std::string_view url) {
  void*& share = shares_[std::hash<std::string_view>{}(origin_of(url)) % shares_.size()];
  if (share != nullptr) return share;
  share = curl_share_init();
  if (share == nullptr ||
      curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK ||
      curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK) {
    throw std::runtime_error("libcurl cannot share connections and TLS sessions");
  }
  return share;
}

}  // namespace sealpost
