// What may stand in an HTTP header's name and value. libcurl sends what it is given: a CR LF in a
// value becomes a header of its own, so everything passes through here before it is stored and
// before it is sent. Source: RFC 9110, 5.1 and 5.5 (narrower: no obs-text, so no byte over 0x7e).
#pragma once

#include <string>
#include <string_view>

#include "core/limits.h"

namespace sealpost {

struct Header {
  std::string name;
  std::string value;
};

// A token: letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters.
bool is_header_name(std::string_view name);

// Visible ASCII, space and tab; not empty, no space or tab at the ends (receivers strip them, and
// libcurl takes an empty value for the wish to send no such header), at most `max_length`.
bool is_header_value(std::string_view value, std::size_t max_length = kMaxHeaderValueLength);

// Header names are compared without regard to case.
bool same_header_name(std::string_view a, std::string_view b);

// Headers that HTTP itself or libcurl writes: Host, Content-Length, Connection, Proxy-…, and so on.
bool is_transport_header(std::string_view name);

}  // namespace sealpost
