// Reading single lines of an HTTP response's head. Pure.
// Sources: RFC 9110 sections 5.1 (names), 8.3.1 (media types), 10.2.3 (Retry-After), 15.2 (interim
// responses).
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace sealpost {

// 200 for "HTTP/1.1 200 OK\r\n" and "HTTP/2 200\r\n"; nullopt if it is not a status line.
std::optional<int> status_of(std::string_view line);

// The value without the space around it, if the line is that header. `lower_case_name` without
// colon.
std::optional<std::string_view> header_value(std::string_view line,
                                             std::string_view lower_case_name);

// True if a Content-Type's value names this type, whatever its parameters.
bool is_media_type(std::string_view value, std::string_view lower_case_type);

// The line that ends the headers.
bool is_blank(std::string_view line);

// True for 1xx: the real answer follows. Not for 101, after which no HTTP follows.
bool is_interim(int status_code);

}  // namespace sealpost
