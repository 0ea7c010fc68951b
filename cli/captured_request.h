// Reading a captured request and the secret to check it with: for `sealpost verify` and
// `sealpost listen`.
#pragma once

#include <filesystem>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret_text.h"
#include "core/rfc3339.h"
#include "core/verify.h"

namespace sealpost {

// Throws std::runtime_error saying what cannot be read.
std::string read_file(const std::filesystem::path& file);

// A preset, or the custom profile in the file of that name. Throws std::runtime_error if it is
// neither.
SigningProfile read_profile(const std::string& name_or_file);

// The file's first line. Throws std::runtime_error if there is none.
SecretText read_secret(const std::filesystem::path& file);

// An X25519 key in any form that parse_private_key() takes. Throws std::runtime_error saying what
// is there instead.
SecretText read_private_key(const std::filesystem::path& file);

// "Name: value" lines; a request line or status line in front is skipped. Lines that are neither
// end with std::runtime_error naming the line.
std::map<std::string, std::string> parse_headers(std::string_view text);

// Headers, an empty line, and the body as it is up to the end. The URL is https://, the Host header
// and the path of the request line, if there are both.
ReceivedRequest parse_raw_request(std::string_view text);

std::string rfc3339_utc(WallTime time);  // with milliseconds

// When the event was made, from its id (an event's ULID is a time); nullopt if the id has none.
std::optional<WallTime> time_of_event(std::string_view event_id);

}  // namespace sealpost
