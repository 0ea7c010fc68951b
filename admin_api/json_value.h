// A JSON value as it was sent, and reading its members with all mistakes noted instead of the first
// one thrown.
//
// Why not the library's own values: they keep the last of duplicate keys without a word, and a body
// on which two readers disagree is how checks are bypassed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "admin_api/problem.h"

namespace sealpost {

struct JsonValue;
using JsonArray = std::vector<JsonValue>;
using JsonMembers = std::vector<std::pair<std::string, JsonValue>>;

struct JsonValue {
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, JsonArray, JsonMembers>
      value = nullptr;
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value); }
};

// Parses RFC 8259 text. Syntax errors and nesting over 32 levels throw Problem 400 with the
// position; duplicate keys are added to `mistakes` (and their first value kept).
JsonValue parse_json(std::string_view text, Mistakes& mistakes);

enum class TextKind {
  line,   // no control characters
  lines,  // line breaks and tabs allowed
};

struct TextLimits {
  std::size_t min = 0;
  std::size_t max = 0;  // bytes of UTF-8
  TextKind kind = TextKind::line;
};

// A value and where it stands. Each reader returns nullopt after adding a mistake.
class JsonField {
 public:
  JsonField(const JsonValue& value, std::string path, Mistakes& mistakes)
      : value_(&value), path_(std::move(path)), mistakes_(&mistakes) {}

  const std::string& path() const { return path_; }
  bool is_null() const { return value_->is_null(); }
  bool is_text() const { return std::holds_alternative<std::string>(value_->value); }

  // As it was sent; an empty text if it is none.
  std::string raw_text() const;
  static bool is_line(std::string_view text);

  std::optional<std::string> text(const TextLimits& limits) const;
  std::optional<std::int64_t> integer(std::int64_t min, std::int64_t max) const;
  std::optional<double> number(double min, double max) const;
  std::optional<bool> flag() const;
  std::optional<std::vector<JsonField>> items(std::size_t min, std::size_t max) const;
  // Members of an object, in the order of the text.
  std::optional<std::vector<std::pair<std::string, JsonField>>> members(std::size_t max) const;

  void mistake(std::string code, std::string detail) const;
  // About a member that is not there.
  void mistake_at(const char* member, std::string code, std::string detail) const;

 private:
  const JsonValue* value_;
  std::string path_;
  Mistakes* mistakes_;
};

// The members of an object that has a fixed set of them.
class JsonObject {
 public:
  // If `field` is not an object, a mistake is added and the object is empty.
  explicit JsonObject(const JsonField& field);

  bool valid() const { return valid_; }
  // nullopt: absent. Asking for a name makes it known.
  std::optional<JsonField> find(const std::string& name);
  // Adds a mistake for every member that nobody asked for.
  void refuse_unknown() const;

 private:
  JsonField field_;
  bool valid_ = false;
  std::vector<std::pair<std::string, JsonField>> members_;
  std::set<std::string> known_;
};

}  // namespace sealpost
