// The closed little language of signing profiles: text with variables in braces, "t={ts},". Parsed
// once per endpoint; there is no escaping, no nesting and no user code.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

enum class Variable { id, ts, body, url, sig, event_type, attempt, idem };
inline constexpr size_t kVariableCount = 8;
inline constexpr size_t kMaxTemplatePieces = 16;  // literals and variables of one template

// What the variables stand for in one request. Holds views.
class VariableValues {
 public:
  void set(Variable variable, std::string_view value) { values_[index(variable)] = value; }
  std::string_view get(Variable variable) const { return values_[index(variable)]; }

 private:
  static size_t index(Variable variable) { return static_cast<size_t>(variable); }
  std::array<std::string_view, kVariableCount> values_{};
};

class SigningTemplate {
 public:
  // Throws std::invalid_argument that begins with `field`: a variable that is not in `allowed`, an
  // unpaired brace, too many pieces, or a character that may not stand in a header (not visible
  // ASCII or space).
  SigningTemplate(std::string_view field, std::string_view text,
                  std::initializer_list<Variable> allowed);

  // The text with its variables filled in, appended to `out`.
  void append_to(std::string& out, const VariableValues& values) const;

  // The same piece by piece, without copying and without the heap: views into the template and the
  // values, kept in `room`.
  using Pieces = std::array<std::string_view, kMaxTemplatePieces>;
  std::span<const std::string_view> pieces(const VariableValues& values, Pieces& room) const;

  bool uses(Variable variable) const;

 private:
  struct Piece {
    std::optional<Variable> variable;  // nullopt: the literal
    std::string literal;
  };
  static std::string_view text_of_piece(const Piece& piece, const VariableValues& values) {
    return piece.variable ? values.get(*piece.variable) : std::string_view(piece.literal);
  }
  std::vector<Piece> pieces_;
};

}  // namespace sealpost
