// Finds one HTTP/1.1 request at the start of a buffer (RFC 9112), as far as a test receiver needs
// it: Content-Length and chunked bodies, no trailers kept, no upgrade. Strict about framing,
// because a sender that frames wrongly must not look right.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sealpost {

struct ParsedRequest {
  std::string_view method;
  std::string_view path;
  std::vector<std::pair<std::string_view, std::string_view>> headers;  // names as they came
  std::string body;
  bool keep_alive = true;
  std::size_t size = 0;  // bytes of the buffer that belong to it
};

enum class ParseResult { complete, incomplete, malformed };

// The views in `request` point into `buffer`.
ParseResult parse_http_request(std::string_view buffer, ParsedRequest& request);

// ASCII only, as header names are.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace sealpost
