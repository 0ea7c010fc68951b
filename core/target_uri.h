// The parts of a request's URL as RFC 9421, 2.2 wants them signed, without touching the heap.
// Which URLs an endpoint may have, and what is connected to, is judged elsewhere
// (core/url_rules.h).
#pragma once

#include <string>
#include <string_view>

namespace sealpost {

struct TargetUri {
  std::string_view scheme;  // lower case
  std::string_view host;    // lower case, with the port unless it is the scheme's own
  std::string_view path;    // at least "/"
  std::string_view query;   // with its "?"; empty if there is none
};

// Views into `url`, or into `room` where it had to be changed. `url` is http:// or https://.
TargetUri target_uri(std::string_view url, std::string& room);

}  // namespace sealpost
