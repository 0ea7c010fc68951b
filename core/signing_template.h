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

enum class Variable {
  id,                  // the event's id
  ts,                  // time of the attempt, in the profile's unit
  expires,             // ts and 300 seconds
  body,                // the bytes that are sent
  body_sha256_hex,     // their SHA-256
  body_sha256_base64,  //
  form_sorted,         // the fields of a form, core/form.h
  url,                 // as registered, with the profile's url_query
  method,              // POST
  scheme,              // of the url: "https" (with host, path and query RFC 9421's @target-uri)
  host,                // lower case, with the port unless it is the scheme's own (@authority)
  path,                // at least "/"
  query,               // with its "?"; empty if there is none
  content_type,        // the header that is sent
  nonce,               // 22 random characters of base64url, new for every attempt
  kid,                 // the key's id
  n,                   // 1 for the first key, 2 for the next
  sig,                 // the signature
  event_type,          //
  attempt,             // number of the attempt, from 1
  idem,                // the Idempotency-Key that is sent
  version,             // Sealpost's
  lf,                  // a line feed; templates cannot contain one themselves
};
inline constexpr size_t kVariableCount = 23;
inline constexpr size_t kMaxTemplatePieces = 40;  // literals and variables of one template

// What the variables stand for in one request. Holds views.
class VariableValues {
 public:
  void set(Variable variable, std::string_view value) { values_[index(variable)] = value; }
  // The URL and its parts: views into it, or into `room` (core/target_uri.h).
  void set_url(std::string_view url, std::string& room);
  std::string_view get(Variable variable) const { return values_[index(variable)]; }
  bool has(Variable variable) const { return get(variable).data() != nullptr; }

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

  // The same with those variables as literals that have a value in `known`, each joined to its
  // neighbours: what does not change from request to request is copied as one piece.
  SigningTemplate filled(const VariableValues& known) const;

  // The text with its variables filled in, appended to `out`.
  void append_to(std::string& out, const VariableValues& values) const;

  // The same piece by piece, without copying and without the heap: views into the template and the
  // values, kept in `room`.
  using Pieces = std::array<std::string_view, kMaxTemplatePieces>;
  std::span<const std::string_view> pieces(const VariableValues& values, Pieces& room) const;

  // The other way round: true if `text` begins with the template with its variables filled in, and
  // takes that away from it. Variables that have a value must have it there too; the others reach
  // to the next literal, or to the end, and get theirs.
  bool take_from(std::string_view& text, VariableValues& values) const;

  bool uses(Variable variable) const;

 private:
  SigningTemplate() = default;
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
