#include "core/target_uri.h"

#include <algorithm>

namespace sealpost {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

TargetUri target_uri(std::string_view url, std::string& room) {
  const bool is_secure = url.size() > 4 && (url[4] == 's' || url[4] == 'S');
  TargetUri uri{.scheme = is_secure ? "https" : "http", .host = {}, .path = "/", .query = ""};
  url.remove_prefix(std::min(url.size(), uri.scheme.size() + 3));
  uri.host = url.substr(0, url.find_first_of("/?"));
  url.remove_prefix(uri.host.size());
  const std::string_view path = url.substr(0, url.find('?'));
  if (!path.empty()) uri.path = path;
  if (url.size() > path.size()) uri.query = url.substr(path.size());

  const std::string_view own_port = is_secure ? ":443" : ":80";
  if (uri.host.ends_with(own_port)) uri.host.remove_suffix(own_port.size());
  if (std::any_of(uri.host.begin(), uri.host.end(), is_upper)) {
    room = uri.host;
    for (char& c : room) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    uri.host = room;
  }
  return uri;
}

}  // namespace sealpost
