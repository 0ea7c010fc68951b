#include "admin_api/json_value.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/check.h"

namespace sealpost {
namespace {

constexpr std::size_t kMaxDepth = 32;  // values are destroyed recursively, so depth costs stack

// Only the place: the library's own text quotes the input, which may contain a secret.
Problem syntax_problem(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto last_break = before.rfind('\n');
  const std::size_t column =
      before.size() - (last_break == std::string_view::npos ? 0 : last_break + 1) + 1;
  const std::string where = "line " + std::to_string(line) + ", column " + std::to_string(column);
  return {400, "invalid_json",
          text.empty() ? "The body is empty; send a JSON object."
                       : "The body is not valid JSON: see " + where + "."};
}

// Builds the value from the parser's events.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, Mistakes& mistakes) : text_(text), mistakes_(mistakes) {}

  JsonValue take() { return std::move(root_); }

  bool null() override { return put({nullptr}); }
  bool boolean(bool flag) override { return put({flag}); }
  bool number_integer(std::int64_t number) override { return put({number}); }
  bool number_unsigned(std::uint64_t number) override {
    if (number > INT64_MAX) return put({static_cast<double>(number)});
    return put({static_cast<std::int64_t>(number)});
  }
  bool number_float(double number, const std::string&) override { return put({number}); }
  bool string(std::string& text) override { return put({std::move(text)}); }
  bool binary(nlohmann::json::binary_t&) override { return false; }  // not in JSON text

  bool start_object(std::size_t) override { return open({JsonMembers()}); }
  bool start_array(std::size_t) override { return open({JsonArray()}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    Level& level = levels_.back();
    level.key = name;
    level.duplicate = !level.keys.insert(name).second;
    if (level.duplicate) {
      mistakes_.push_back({"duplicate_key", path(), "The member appears twice; send it once."});
    }
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&,
                   const nlohmann::json::exception&) override {
    throw syntax_problem(text_, byte);
  }

 private:
  struct Level {
    JsonValue value;
    std::string key;  // of the member that comes next
    bool duplicate = false;
    std::set<std::string> keys;
  };

  std::string path() const {
    std::string path;
    for (const Level& level : levels_) {
      if (const auto* items = std::get_if<JsonArray>(&level.value.value)) {
        path += "[" + std::to_string(items->size()) + "]";
      } else {
        path += (path.empty() ? "" : ".") + level.key;
      }
    }
    return path;
  }

  bool open(JsonValue value) {
    if (levels_.size() == kMaxDepth) {
      throw Problem(400, "invalid_json",
                    "The body is nested deeper than " + std::to_string(kMaxDepth) + " levels.");
    }
    levels_.push_back({std::move(value), {}, false, {}});
    return true;
  }

  bool close() {
    JsonValue value = std::move(levels_.back().value);
    levels_.pop_back();
    return put(std::move(value));
  }

  bool put(JsonValue value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = levels_.back();
               auto* items = std::get_if<JsonArray>(&level.value.value)) {
      items->push_back(std::move(value));
    } else if (!level.duplicate) {
      std::get<JsonMembers>(level.value.value).emplace_back(level.key, std::move(value));
    }
    return true;
  }

  std::string_view text_;
  Mistakes& mistakes_;
  JsonValue root_;
  std::vector<Level> levels_;
};

bool has_control_characters(std::string_view text, TextKind kind) {
  return std::any_of(text.begin(), text.end(), [&](unsigned char c) {
    if (kind == TextKind::lines && (c == '\n' || c == '\r' || c == '\t')) return false;
    return c < 0x20 || c == 0x7f;
  });
}

std::string as_text(double number) {
  std::string text = nlohmann::json(number).dump();
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string range_text(const std::string& min, const std::string& max) {
  return "from " + min + " to " + max + ".";
}

}  // namespace

JsonValue parse_json(std::string_view text, Mistakes& mistakes) {
  Builder builder(text, mistakes);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

void JsonField::mistake(std::string code, std::string detail) const {
  mistakes_->push_back({std::move(code), path_, std::move(detail)});
}

void JsonField::mistake_at(const char* member, std::string code, std::string detail) const {
  mistakes_->push_back({std::move(code), path_ + "." + member, std::move(detail)});
}

std::string JsonField::raw_text() const {
  const auto* text = std::get_if<std::string>(&value_->value);
  return text ? *text : std::string();
}

bool JsonField::is_line(std::string_view text) {
  return !has_control_characters(text, TextKind::line);
}

std::optional<std::string> JsonField::text(const TextLimits& limits) const {
  const auto* text = std::get_if<std::string>(&value_->value);
  if (!text) {
    mistake("wrong_type", path_ + " must be a text.");
  } else if (text->size() < limits.min) {
    mistake("too_short", path_ + " must have at least " + std::to_string(limits.min) + " bytes.");
  } else if (text->size() > limits.max) {
    mistake("too_long", path_ + " may have at most " + std::to_string(limits.max) + " bytes.");
  } else if (has_control_characters(*text, limits.kind)) {
    mistake("invalid_value", path_ + " must not contain control characters.");
  } else {
    return *text;
  }
  return std::nullopt;
}

std::optional<std::int64_t> JsonField::integer(std::int64_t min, std::int64_t max) const {
  const auto* number = std::get_if<std::int64_t>(&value_->value);
  const std::string range = range_text(std::to_string(min), std::to_string(max));
  if (!number) {
    mistake("wrong_type", path_ + " must be a whole number " + range);
  } else if (*number < min || *number > max) {
    mistake("out_of_range", path_ + " must be " + range);
  } else {
    return *number;
  }
  return std::nullopt;
}

std::optional<double> JsonField::number(double min, double max) const {
  const auto* whole = std::get_if<std::int64_t>(&value_->value);
  const auto* real = std::get_if<double>(&value_->value);
  const std::string range = range_text(as_text(min), as_text(max));
  if (!whole && !real) {
    mistake("wrong_type", path_ + " must be a number " + range);
    return std::nullopt;
  }
  const double number = whole ? static_cast<double>(*whole) : *real;
  if (number >= min && number <= max) return number;
  mistake("out_of_range", path_ + " must be " + range);
  return std::nullopt;
}

std::optional<bool> JsonField::flag() const {
  if (const auto* flag = std::get_if<bool>(&value_->value)) return *flag;
  mistake("wrong_type", path_ + " must be true or false.");
  return std::nullopt;
}

std::optional<std::vector<JsonField>> JsonField::items(std::size_t min, std::size_t max) const {
  const auto* array = std::get_if<JsonArray>(&value_->value);
  if (!array) {
    mistake("wrong_type", path_ + " must be an array.");
    return std::nullopt;
  }
  if (array->size() < min || array->size() > max) {
    mistake("out_of_range", path_ + " must have " + std::to_string(min) + " to " +
                                std::to_string(max) + " entries.");
    return std::nullopt;
  }
  std::vector<JsonField> items;
  for (std::size_t i = 0; i < array->size(); ++i) {
    items.emplace_back((*array)[i], path_ + "[" + std::to_string(i) + "]", *mistakes_);
  }
  return items;
}

std::optional<std::vector<std::pair<std::string, JsonField>>> JsonField::members(
    std::size_t max) const {
  const auto* object = std::get_if<JsonMembers>(&value_->value);
  if (!object) {
    mistake("wrong_type", (path_.empty() ? "The body" : path_) + " must be an object.");
    return std::nullopt;
  }
  if (object->size() > max) {
    mistake("too_long", path_ + " may have at most " + std::to_string(max) + " members.");
    return std::nullopt;
  }
  std::vector<std::pair<std::string, JsonField>> members;
  for (const auto& [name, value] : *object) {
    const std::string path = path_.empty() ? name : path_ + "." + name;
    members.emplace_back(name, JsonField(value, path, *mistakes_));
  }
  return members;
}

JsonObject::JsonObject(const JsonField& field) : field_(field) {
  constexpr std::size_t kMaxMembers = 1'000;  // more than any object here has names
  if (auto members = field.members(kMaxMembers)) {
    valid_ = true;
    members_ = std::move(*members);
  }
}

std::optional<JsonField> JsonObject::find(const std::string& name) {
  known_.insert(name);
  for (const auto& [member, field] : members_) {
    if (member == name) return field;
  }
  return std::nullopt;
}

void JsonObject::refuse_unknown() const {
  for (const auto& [member, field] : members_) {
    if (!known_.contains(member)) {
      field.mistake("unknown_field", "There is no such field here; check its spelling.");
    }
  }
}

}  // namespace sealpost
