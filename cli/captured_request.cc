#include "cli/captured_request.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "base/ulid.h"
#include "core/encryption_key.h"
#include "core/signing_profile_json.h"

namespace sealpost {
namespace {

constexpr std::string_view kEventPrefix = "evt_";
constexpr size_t kUlidTimeLength = 10;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// "POST /path HTTP/1.1" and the Host header as a URL.
std::string url_of(std::string_view request_line,
                   const std::map<std::string, std::string>& headers) {
  const size_t start = request_line.find(" /");
  const size_t end = request_line.find(" HTTP/");
  const auto host = headers.find("host");
  if (start == std::string_view::npos || end == std::string_view::npos || start >= end) return "";
  if (host == headers.end()) return "";
  return fmt::format("https://{}{}", host->second, request_line.substr(start + 1, end - start - 1));
}

}  // namespace

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) {
    throw std::runtime_error(
        fmt::format("cannot read {}: it must exist, be readable and not be empty", file.string()));
  }
  return std::move(text).str();
}

SigningProfile read_profile(const std::string& name_or_file) {
  if (auto preset = signing_preset(name_or_file)) return *std::move(preset);
  if (!std::filesystem::exists(name_or_file)) {
    throw std::runtime_error(
        fmt::format("there is no signing profile \"{}\" and no such file; use one of {}, or a file "
                    "with a custom profile as JSON",
                    name_or_file, fmt::join(signing_preset_names(), ", ")));
  }
  return signing_profile_from_json(read_file(name_or_file));
}

SecretText read_secret(const std::filesystem::path& file) {
  std::string text = read_file(file);
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty())
    throw std::runtime_error(fmt::format("{}: the first line must be the secret", file.string()));
  return SecretText(std::move(text));
}

SecretText read_private_key(const std::filesystem::path& file) {
  const SecretText text(read_file(file));
  auto parsed = parse_private_key(text.reveal());
  if (auto* error = std::get_if<KeyError>(&parsed)) {
    throw std::runtime_error(fmt::format("{}: {}", file.string(), error->problem));
  }
  return std::get<SecretText>(std::move(parsed));
}

std::map<std::string, std::string> parse_headers(std::string_view text) {
  std::map<std::string, std::string> headers;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    const size_t space = line.find(' ');
    if (colon != std::string_view::npos && (space == std::string_view::npos || colon < space)) {
      headers[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
    } else if (number != 1) {
      // Without the line: it is a stranger's, and a terminal might obey it.
      throw std::runtime_error(
          fmt::format("line {} of the headers is not \"Name: value\"", number));
    }
  }
  return headers;
}

ReceivedRequest parse_raw_request(std::string_view text) {
  // The first empty line, whichever newlines are used: the body may have empty lines of both kinds.
  const size_t unix_end = text.find("\n\n");
  const size_t http_end = text.find("\r\n\r\n");
  const size_t end = std::min(unix_end, http_end);
  if (end == std::string_view::npos) {
    throw std::runtime_error("the request has no empty line between headers and body");
  }
  const size_t body = end == http_end ? end + 4 : end + 2;
  ReceivedRequest request{.headers = parse_headers(text.substr(0, end)),
                          .body = std::string(text.substr(body))};
  request.url = url_of(text.substr(0, text.find('\n')), request.headers);
  return request;
}

std::string rfc3339_utc(WallTime time) {
  const auto milliseconds = std::chrono::floor<Milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds.time_since_epoch().count()),
                     (milliseconds - seconds).count());
}

std::optional<WallTime> time_of_event(std::string_view event_id) {
  if (!is_prefixed_ulid(event_id, kEventPrefix)) return std::nullopt;
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::int64_t milliseconds = 0;
  for (const char c : event_id.substr(kEventPrefix.size(), kUlidTimeLength)) {
    milliseconds = milliseconds * 32 + static_cast<std::int64_t>(kDigits.find(c));
  }
  return WallTime(Milliseconds(milliseconds));
}

}  // namespace sealpost
