#include "core/signing_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/target_uri.h"
#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<Variable> kVariables[] = {
    {Variable::id, "id"},
    {Variable::ts, "ts"},
    {Variable::expires, "expires"},
    {Variable::body, "body"},
    {Variable::body_sha256_hex, "body_sha256_hex"},
    {Variable::body_sha256_base64, "body_sha256_base64"},
    {Variable::form_sorted, "form_sorted"},
    {Variable::url, "url"},
    {Variable::method, "method"},
    {Variable::scheme, "scheme"},
    {Variable::host, "host"},
    {Variable::path, "path"},
    {Variable::query, "query"},
    {Variable::content_type, "content_type"},
    {Variable::nonce, "nonce"},
    {Variable::kid, "kid"},
    {Variable::n, "n"},
    {Variable::sig, "sig"},
    {Variable::event_type, "event_type"},
    {Variable::attempt, "attempt"},
    {Variable::idem, "idem"},
    {Variable::version, "version"},
    {Variable::lf, "lf"},
};
static_assert(std::size(kVariables) == kVariableCount);

std::string list_of(std::initializer_list<Variable> variables) {
  if (variables.size() == 0) return "no variables";
  std::string list;
  for (const Variable variable : variables) {
    if (!list.empty()) list += ' ';
    list += fmt::format("{{{}}}", text_of(kVariables, variable));
  }
  return list;
}

void require_literal(std::string_view field, std::string_view literal) {
  const bool visible =
      std::all_of(literal.begin(), literal.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (visible) return;
  throw std::invalid_argument(fmt::format(
      "{} contains a character that cannot stand in a header; use visible ASCII and spaces only",
      field));
}

Variable require_variable(std::string_view field, std::string_view name,
                          std::initializer_list<Variable> allowed) {
  const std::optional<Variable> variable = value_of(kVariables, name);
  if (variable && std::find(allowed.begin(), allowed.end(), *variable) != allowed.end()) {
    return *variable;
  }
  require_literal(field, name);  // so that the name can be shown
  throw std::invalid_argument(fmt::format("{} uses {{{}}}, which is not known there; use {}", field,
                                          name, list_of(allowed)));
}

}  // namespace

void VariableValues::set_url(std::string_view url, std::string& room) {
  const TargetUri uri = target_uri(url, room);
  set(Variable::url, url);
  set(Variable::scheme, uri.scheme);
  set(Variable::host, uri.host);
  set(Variable::path, uri.path);
  set(Variable::query, uri.query);
}

SigningTemplate::SigningTemplate(std::string_view field, std::string_view text,
                                 std::initializer_list<Variable> allowed) {
  while (!text.empty()) {
    // One round adds at most a literal and a variable.
    if (pieces_.size() + 2 > kMaxTemplatePieces) {
      throw std::invalid_argument(
          fmt::format("{} has more than {} pieces; shorten it", field, kMaxTemplatePieces - 1));
    }
    const size_t brace = text.find_first_of("{}");
    const std::string_view literal = text.substr(0, brace);
    require_literal(field, literal);
    if (!literal.empty()) pieces_.push_back({.variable = {}, .literal = std::string(literal)});
    if (brace == std::string_view::npos) return;

    const size_t end = text.find('}', brace);
    if (text[brace] == '}' || end == std::string_view::npos) {
      throw std::invalid_argument(
          fmt::format("{} has an unpaired brace; write variables like {{ts}}", field));
    }
    const std::string_view name = text.substr(brace + 1, end - brace - 1);
    pieces_.push_back({.variable = require_variable(field, name, allowed), .literal = {}});
    text.remove_prefix(end + 1);
  }
}

SigningTemplate SigningTemplate::filled(const VariableValues& known) const {
  SigningTemplate result;
  for (const Piece& piece : pieces_) {
    const bool varies = piece.variable && !known.has(*piece.variable);
    const bool joins = !varies && !result.pieces_.empty() && !result.pieces_.back().variable;
    if (varies) {
      result.pieces_.push_back(piece);
    } else if (joins) {
      result.pieces_.back().literal += text_of_piece(piece, known);
    } else {
      result.pieces_.push_back(
          {.variable = {}, .literal = std::string(text_of_piece(piece, known))});
    }
  }
  return result;
}

void SigningTemplate::append_to(std::string& out, const VariableValues& values) const {
  std::size_t size = out.size();
  for (const Piece& piece : pieces_) size += text_of_piece(piece, values).size();
  out.reserve(size);
  for (const Piece& piece : pieces_) out += text_of_piece(piece, values);
}

std::span<const std::string_view> SigningTemplate::pieces(const VariableValues& values,
                                                          Pieces& room) const {
  for (size_t i = 0; i < pieces_.size(); ++i) room[i] = text_of_piece(pieces_[i], values);
  return {room.data(), pieces_.size()};
}

bool SigningTemplate::take_from(std::string_view& text, VariableValues& values) const {
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    std::string_view expected = text_of_piece(piece, values);
    if (piece.variable && !values.has(*piece.variable)) {
      const bool before_literal = i + 1 < pieces_.size() && !pieces_[i + 1].variable;
      expected = text.substr(0, before_literal ? text.find(pieces_[i + 1].literal) : text.npos);
      values.set(*piece.variable, expected);
    }
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
  }
  return true;
}

bool SigningTemplate::uses(Variable variable) const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [variable](const Piece& piece) { return piece.variable == variable; });
}

}  // namespace sealpost
