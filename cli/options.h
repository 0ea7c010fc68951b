// Every setting of the program, in one table. The table drives parsing, --help, the errors about
// unknown names and docs/CONFIGURATION.md (a test compares the two).
//
// Threads: the table is immutable.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

enum class OptionKind {
  text,
  path,
  address,  // HOST:PORT to listen on
  ranges,   // CIDRs, comma separated
  flag,     // true or false
  integer,  // minimum…maximum
  choice,   // one of `choices`
};

struct Option {
  std::string_view name;  // the key in the TOML file, "lease_seconds"
  OptionKind kind;
  std::string_view default_text;  // as it would be written; empty: see default_note
  std::string_view default_note;  // for people, when the default is not a fixed text
  std::string_view description;
  long minimum = 0;
  long maximum = 0;
  std::vector<std::string_view> choices = {};
  bool may_hold_password = false;  // never printed; a password in it is only accepted from a file

  std::string environment() const;  // "SEALPOST_LEASE_SECONDS"
  std::string flag() const;         // "--lease-seconds"
};

std::span<const Option> options();
const Option* find_option(std::string_view name);  // nullptr if there is none

// The candidate that `text` was probably meant to be; empty if none is near enough (a third of its
// letters wrong).
std::string closest(std::string_view text, std::span<const std::string> candidates);

// "Did you mean X? " or nothing.
std::string suggestion(std::string_view text, std::span<const std::string> candidates);

}  // namespace sealpost
