#include "base/url.h"

#include <curl/curl.h>

#include <charconv>
#include <memory>

namespace sealpost {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

enum class Presence { required, optional };

// False where libcurl refuses the part, or lacks it although it is required.
bool read_part(CURLU* url, CURLUPart part, Presence presence, unsigned flags, std::string& out) {
  char* text = nullptr;
  const CURLUcode code = curl_url_get(url, part, &text, flags);
  const std::unique_ptr<char, FreeText> owner(text);
  if (code == CURLUE_OK) {
    out = text;
    return true;
  }
  const bool absent = code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD ||
                      code == CURLUE_NO_QUERY || code == CURLUE_NO_FRAGMENT;
  return absent && presence == Presence::optional;
}

// With the flag, a missing port becomes the scheme's.
std::optional<std::uint16_t> read_port(CURLU* url, unsigned flags) {
  std::string text;
  if (!read_part(url, CURLUPART_PORT, Presence::required, flags, text)) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::optional<UrlParts> parse_url(std::string_view url) {
  // libcurl takes a C string and would silently stop at a NUL.
  if (url.find('\0') != std::string_view::npos) return std::nullopt;
  const std::unique_ptr<CURLU, FreeUrl> handle(curl_url());
  if (!handle) throw std::bad_alloc();
  // No flags: unlike a transfer, this guesses no scheme ("ftp.example.com" as FTP), and knows only
  // schemes that libcurl can fetch.
  if (curl_url_set(handle.get(), CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  UrlParts parts;
  CURLU* const parsed = handle.get();
  const bool complete =
      read_part(parsed, CURLUPART_SCHEME, Presence::required, 0, parts.scheme) &&
      read_part(parsed, CURLUPART_USER, Presence::optional, CURLU_URLDECODE, parts.user) &&
      read_part(parsed, CURLUPART_PASSWORD, Presence::optional, CURLU_URLDECODE, parts.password) &&
      // As a transfer does it: what is looked up is the ASCII form, in which "①②⑦.⓪.⓪.①" is
      // 127.0.0.1.
      read_part(parsed, CURLUPART_HOST, Presence::required, CURLU_PUNYCODE, parts.host) &&
      read_part(parsed, CURLUPART_PATH, Presence::required, 0, parts.path) &&
      read_part(parsed, CURLUPART_QUERY, Presence::optional, 0, parts.query) &&
      read_part(parsed, CURLUPART_FRAGMENT, Presence::optional, 0, parts.fragment);
  const std::optional<std::uint16_t> port = read_port(parsed, CURLU_DEFAULT_PORT);
  if (!complete || !port) return std::nullopt;
  parts.port = *port;
  parts.port_given = read_port(parsed, 0).has_value();
  return parts;
}

}  // namespace sealpost
