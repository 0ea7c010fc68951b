// Bodies of the type application/x-www-form-urlencoded (WHATWG URL, section 5), as signatures over
// a form's fields read them.
//
// Threads: everything here is safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sealpost {

// True for that media type, with or without parameters.
bool is_form_type(std::string_view content_type);

// Names and values, decoded and run together, sorted by name and then by value (as bytes); of equal
// fields one. nullopt if a percent sign does not begin an escape, or if what is decoded is not
// UTF-8: decoders differ there, and so would signatures.
// Source: Twilio's validation of form parameters.
std::optional<std::string> sorted_form(std::string_view body);

}  // namespace sealpost
