// Both directions between an enum's values and their words, from one table per enum. The words
// stand in the database, in the API, in metrics and in logs: words are added, never changed.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/check.h"

namespace sealpost {

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};

template <class Enum, std::size_t n>
std::string_view text_of(const Word<Enum> (&words)[n], Enum value) {
  for (const Word<Enum>& word : words) {
    if (word.value == value) return word.text;
  }
  CHECK(false, "this value of the enum has no word: add it to the table");
}

template <class Enum, std::size_t n>
std::optional<Enum> value_of(const Word<Enum> (&words)[n], std::string_view text) {
  for (const Word<Enum>& word : words) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

}  // namespace sealpost
