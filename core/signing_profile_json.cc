#include "core/signing_profile_json.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/endpoint.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;

// One list for both directions: field(name, member) of every field there is. `Fields` knows texts,
// words (enums), flags and numbers.
template <class Fields, class Profile>
void visit(Fields& fields, Profile& profile) {
  fields.word("alg", profile.algorithm, signature_algorithm_from_text);
  fields.word("secret_decode", profile.secret_decoding, secret_decoding_from_text);
  fields.word("timestamp", profile.timestamp, timestamp_unit_from_text);
  fields.text("content", profile.content);
  fields.word("encoding", profile.encoding, signature_encoding_from_text);
  fields.text("sig_header", profile.signature_header);
  fields.text("prefix", profile.prefix);
  fields.text("item", profile.item);
  fields.text("join", profile.join);
  fields.choice("multi", profile.many_signatures, "list");
  fields.text("ed25519_item", profile.ed25519_item);
  fields.text("input_header", profile.input_header);
  fields.text("input_item", profile.input_item);
  fields.text("url_query", profile.url_query);
  fields.text("kid", profile.key_id);
  fields.headers("headers", profile.headers);
  fields.flag("body_utf8", profile.body_must_be_utf8);
  fields.flag("body_json", profile.body_must_be_json);
  fields.flag("body_first_byte_not_digit", profile.body_must_not_start_with_digit);
  fields.flag("https_only", profile.https_only);
  fields.constraint_choice("tls_min", profile.tls_1_3_only, "1.3");
  fields.number("max_header_value", profile.max_header_value);
}

constexpr char kConstraints[] = "constraints";

struct Writer {
  template <class Enum, class FromText>
  void word(const char* name, Enum value, FromText) {
    if (value != Enum{}) json[name] = to_text(value);
  }
  void text(const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  }
  void choice(const char* name, bool chosen, const char* word) {
    if (chosen) json[name] = word;
  }
  void headers(const char* name, const std::vector<std::pair<std::string, std::string>>& values) {
    for (const auto& [header, value] : values) json[name][header] = value;
  }
  void flag(const char* name, bool value) {
    if (value) json[kConstraints][name] = true;
  }
  void constraint_choice(const char* name, bool chosen, const char* word) {
    if (chosen) json[kConstraints][name] = word;
  }
  void number(const char* name, std::size_t value) {
    if (value != kMaxHeaderValueLength) json[kConstraints][name] = value;
  }

  Json json = Json::object();
};

struct Reader {
  template <class Enum, class FromText>
  void word(const char* name, Enum& value, FromText from_text) {
    if (!json.contains(name)) return;
    const auto known = from_text(json.at(name).template get<std::string>());
    if (!known)
      throw std::runtime_error(std::string("the signing profile's ") + name + " is unknown");
    value = *known;
  }
  void text(const char* name, std::string& value) { value = json.value(name, value); }
  void choice(const char* name, bool& chosen, const char* word) {
    chosen = json.value(name, std::string()) == word;
  }
  void headers(const char* name, std::vector<std::pair<std::string, std::string>>& values) {
    if (!json.contains(name)) return;
    for (const auto& [header, value] : json.at(name).items()) {
      values.emplace_back(header, value.get<std::string>());
    }
  }
  void flag(const char* name, bool& value) { value = constraints.value(name, value); }
  void constraint_choice(const char* name, bool& chosen, const char* word) {
    chosen = constraints.value(name, std::string()) == word;
  }
  void number(const char* name, std::size_t& value) { value = constraints.value(name, value); }

  const Json& json;
  const Json constraints = json.value(kConstraints, Json::object());
};

}  // namespace

std::string signing_profile_json(const SigningProfile& profile) {
  Writer writer;
  visit(writer, profile);
  return writer.json.dump();
}

SigningProfile signing_profile_from_json(std::string_view text) {
  SigningProfile profile{.name = kCustomProfile};
  try {
    const Json json = Json::parse(text);
    Reader reader{json};
    visit(reader, profile);
  } catch (const Json::exception&) {
    throw std::runtime_error("the signing profile is not the JSON that it was stored as");
  }
  return profile;
}

}  // namespace sealpost
