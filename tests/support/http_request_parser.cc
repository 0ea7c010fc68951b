#include "tests/support/http_request_parser.h"

#include <algorithm>
#include <charconv>

namespace sealpost {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMaxHeadBytes = 256
                                      << 10;  // more than any test sends; bounds a runaway sender
constexpr std::size_t kMaxChunkLineBytes = 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::size_t> number(std::string_view digits, int base) {
  std::size_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

// `head` is everything up to and including the line end of the last header.
bool parse_head(std::string_view head, ParsedRequest& request) {
  std::size_t at = head.find(kLineEnd);
  const std::string_view line = head.substr(0, at);
  const auto space = line.find(' ');
  const auto last_space = line.rfind(' ');
  if (space == std::string_view::npos || space == last_space) return false;
  if (line.substr(last_space + 1) != "HTTP/1.1") return false;
  request.method = line.substr(0, space);
  request.path = line.substr(space + 1, last_space - space - 1);

  for (at += kLineEnd.size(); at < head.size();) {
    const auto end = head.find(kLineEnd, at);
    const std::string_view header = head.substr(at, end - at);
    const auto colon = header.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    request.headers.emplace_back(header.substr(0, colon), trimmed(header.substr(colon + 1)));
    at = end + kLineEnd.size();
  }
  return true;
}

struct Framing {
  std::optional<std::size_t> content_length;
  bool chunked = false;
};

// nullopt if the headers contradict each other.
std::optional<Framing> framing_of(ParsedRequest& request) {
  Framing framing;
  for (const auto& [name, value] : request.headers) {
    if (equal_ignoring_case(name, "content-length")) {
      if (framing.content_length) return std::nullopt;
      framing.content_length = number(value, 10);
      if (!framing.content_length) return std::nullopt;
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      if (!equal_ignoring_case(value, "chunked")) return std::nullopt;
      framing.chunked = true;
    } else if (equal_ignoring_case(name, "connection")) {
      request.keep_alive = !equal_ignoring_case(value, "close");
    }
  }
  if (framing.chunked && framing.content_length) return std::nullopt;
  return framing;
}

// Appends the decoded body; `at` moves behind the last chunk's empty line.
ParseResult read_chunks(std::string_view buffer, std::size_t& at, std::string& body) {
  for (;;) {
    const auto line_end = buffer.find(kLineEnd, at);
    if (line_end == std::string_view::npos) {
      const bool too_long = buffer.size() - at > kMaxChunkLineBytes;
      return too_long ? ParseResult::malformed : ParseResult::incomplete;
    }
    const auto line = buffer.substr(at, line_end - at);
    const auto size = number(line.substr(0, line.find(';')), 16);
    if (!size) return ParseResult::malformed;
    const std::size_t data = line_end + kLineEnd.size();
    if (buffer.size() - data < *size + kLineEnd.size()) return ParseResult::incomplete;
    if (buffer.substr(data + *size, kLineEnd.size()) != kLineEnd) return ParseResult::malformed;
    body.append(buffer.substr(data, *size));
    at = data + *size + kLineEnd.size();
    if (*size == 0) return ParseResult::complete;
  }
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

ParseResult parse_http_request(std::string_view buffer, ParsedRequest& request) {
  request = {};
  const auto head_end = buffer.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    return buffer.size() > kMaxHeadBytes ? ParseResult::malformed : ParseResult::incomplete;
  }
  if (!parse_head(buffer.substr(0, head_end + kLineEnd.size()), request)) {
    return ParseResult::malformed;
  }
  const auto framing = framing_of(request);
  if (!framing) return ParseResult::malformed;

  std::size_t at = head_end + 2 * kLineEnd.size();
  if (framing->chunked) {
    const ParseResult result = read_chunks(buffer, at, request.body);
    if (result != ParseResult::complete) return result;
  } else {
    const std::size_t length = framing->content_length.value_or(0);
    if (buffer.size() - at < length) return ParseResult::incomplete;
    request.body = buffer.substr(at, length);
    at += length;
  }
  request.size = at;
  return ParseResult::complete;
}

}  // namespace sealpost
