// Encodings of bytes. All decoders are strict: a character outside the alphabet, a wrong length or
// non-zero trailing bits give nullopt, never a partial result.
// Source: RFC 4648 (base64 with padding, base64url without, base16).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sealpost {

std::string hex_encode(std::string_view bytes);                // lower case
std::optional<std::string> hex_decode(std::string_view text);  // either case
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

// The same, appended to a text whose memory is used again and again.
void append_hex(std::string_view bytes, std::string& out);
void append_base64(std::string_view bytes, std::string& out);
void append_base64url(std::string_view bytes, std::string& out);

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view bytes);

// How many bytes the character has that `bytes` begins with, 1 to 4; 0 if it is not well-formed
// UTF-8 or if there is none.
std::size_t utf8_character_length(std::string_view bytes);

}  // namespace sealpost
