#include "admin_api/signing_reader.h"

#include <algorithm>
#include <stdexcept>

#include "admin_api/field_names.h"
#include "core/signer.h"

namespace sealpost {
namespace {

constexpr std::size_t kMaxTemplateLength = 1024;
constexpr std::size_t kMaxCustomHeaders = 16;
constexpr std::size_t kMinHeaderValue = 64;  // the shortest signature as hex, nearly

std::string preset_names() {
  std::string names;
  for (const auto known : signing_preset_names()) {
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  return names;
}

// The fields of docs/SIGNING.md; core/signing_profile_json.h writes them.
class CustomProfileReader {
 public:
  explicit CustomProfileReader(const JsonField& field) : object_(field) {}

  std::optional<SigningProfile> read() {
    if (!object_.valid()) return std::nullopt;
    SigningProfile profile{.name = kCustomProfile};
    word("alg", profile.algorithm, signature_algorithm_from_text,
         "none, hmac-sha256, hmac-sha512, hmac-sha1, ed25519 or ecdsa-p256-sha256");
    word("secret_decode", profile.secret_decoding, secret_decoding_from_text,
         "utf8, hex, base64, base64url or whsec_base64");
    word("timestamp", profile.timestamp, timestamp_unit_from_text, "s, ms or rfc3339");
    word("encoding", profile.encoding, signature_encoding_from_text, "hex, base64 or base64url");
    text("content", profile.content);
    text("sig_header", profile.signature_header);
    text("prefix", profile.prefix);
    text("item", profile.item);
    text("join", profile.join);
    choice(object_, "multi", profile.many_signatures, "single", "list");
    text("ed25519_item", profile.ed25519_item);
    text("input_header", profile.input_header);
    text("input_item", profile.input_item);
    text("url_query", profile.url_query);
    text("kid", profile.key_id);
    read_headers(profile);
    read_constraints(profile);
    check_secret_decoding(profile);
    object_.refuse_unknown();
    return profile;
  }

 private:
  template <class Enum>
  void word(const char* name, Enum& value, std::optional<Enum> (*from_text)(std::string_view),
            const char* words) {
    const auto field = object_.find(name);
    const auto given = field ? field->text({.min = 1, .max = 64}) : std::nullopt;
    if (!given) return;
    if (const auto known = from_text(*given)) {
      value = *known;
    } else {
      field->mistake("invalid_value", std::string(name) + " must be " + words + ".");
    }
  }

  void text(const char* name, std::string& value) {
    const auto field = object_.find(name);
    if (!field) return;
    value = field->text({.max = kMaxTemplateLength}).value_or("");
  }

  static void choice(JsonObject& object, const char* name, bool& second, const char* first_word,
                     const char* second_word) {
    const auto field = object.find(name);
    const auto given = field ? field->text({.min = 1, .max = 64}) : std::nullopt;
    if (!given) return;
    second = *given == second_word;
    if (second || *given == first_word) return;
    field->mistake("invalid_value",
                   std::string(name) + " must be " + first_word + " or " + second_word + ".");
  }

  void read_headers(SigningProfile& profile) {
    const auto field = object_.find(Field::headers);
    const auto members = field ? field->members(kMaxCustomHeaders) : std::nullopt;
    if (!members) return;
    for (const auto& [name, value] : *members) {
      if (const auto given = value.text({.min = 1, .max = kMaxTemplateLength})) {
        profile.headers.emplace_back(name, *given);
      }
    }
  }

  void read_constraints(SigningProfile& profile) {
    const auto field = object_.find("constraints");
    if (!field) return;
    JsonObject constraints(*field);
    const auto flag = [&](const char* name, bool& value) {
      if (const auto given = constraints.find(name)) value = given->flag().value_or(value);
    };
    flag("body_utf8", profile.body_must_be_utf8);
    flag("body_json", profile.body_must_be_json);
    flag("body_first_byte_not_digit", profile.body_must_not_start_with_digit);
    flag("https_only", profile.https_only);
    choice(constraints, "tls_min", profile.tls_1_3_only, "1.2", "1.3");
    if (const auto given = constraints.find("max_header_value")) {
      const auto number = given->integer(kMinHeaderValue, kMaxHeaderValueLength);
      if (number) profile.max_header_value = static_cast<std::size_t>(*number);
    }
    constraints.refuse_unknown();
  }

  void check_secret_decoding(const SigningProfile& profile) {
    const auto field = object_.find("secret_decode");
    if (!field || !is_asymmetric(profile.algorithm)) return;
    field->mistake("invalid_value",
                   "Keys of this alg have one form, so secret_decode says nothing; leave it out.");
  }

  JsonObject object_;
};

// The engine's complaints begin with the field's name.
std::string path_of(std::string_view complaint, const SigningProfile& profile, bool secret_given) {
  const std::string field(complaint.substr(0, complaint.find_first_of(" :")));
  if (field == Field::secret && secret_given) return Field::secret;
  if (field == Field::next_header) return std::string(Field::signing) + "." + Field::next_header;
  const bool is_own = profile.name == kCustomProfile && field != Field::secret;
  return is_own ? std::string(Field::signing) + ".custom." + field : std::string(Field::signing);
}

void check_static_headers(const EndpointSettings& settings, const Signer& signer,
                          Mistakes& mistakes) {
  for (const auto& entry : settings.headers) {
    if (!signer.writes_header(entry.first)) continue;
    mistakes.push_back({"header_not_allowed", "headers." + entry.first,
                        "The signing profile writes this header; choose another name."});
  }
}

void check_url(const EndpointSettings& settings, const SigningProfile& profile,
               Mistakes& mistakes) {
  const bool needs_tls = profile.https_only || profile.tls_1_3_only;
  const bool has_tls = same_header_name(settings.url.substr(0, 6), "https:");  // in any case
  if (!needs_tls || settings.url.empty() || has_tls) return;
  mistakes.push_back({"url_not_allowed", Field::url,
                      "The signing profile is for https:// only; give such a URL, or choose "
                      "another profile."});
}

void check_form(const EndpointSettings& settings, const Signer& signer, Mistakes& mistakes) {
  if (!signer.signs_form()) return;
  if (settings.envelope != Envelope::raw) {
    mistakes.push_back({"invalid_value", Field::envelope,
                        "The signing profile signs the fields of a form, which only the envelope "
                        "raw carries; choose raw."});
  }
  if (settings.encryption.enabled) {
    mistakes.push_back({"invalid_value", Field::encryption,
                        "The signing profile signs the fields of a form, and an encrypted body is "
                        "none; send null, or choose another profile."});
  }
}

std::optional<SigningProfile> with_next_header(std::optional<SigningProfile> profile, bool wanted) {
  if (profile) profile->next_header = wanted;
  return profile;
}

}  // namespace

std::optional<SigningProfile> read_signing_profile(const JsonField& field) {
  std::optional<JsonField> name = field;
  bool next_header = false;
  if (!field.is_text()) {
    JsonObject object(field);
    if (!object.valid()) return std::nullopt;
    name = object.find(Field::profile);
    const auto custom = object.find(Field::custom);
    if (const auto flag = object.find(Field::next_header)) {
      next_header = flag->flag().value_or(false);
    }
    object.refuse_unknown();
    if (name && custom) {
      custom->mistake("invalid_value", "Give the name of a profile or an own one, not both.");
      return std::nullopt;
    }
    if (custom) return with_next_header(CustomProfileReader(*custom).read(), next_header);
    if (!name) {
      field.mistake_at(Field::profile, "required",
                       "Name the signing profile, or describe an own one as custom.");
      return std::nullopt;
    }
  }
  const auto text = name->text({.min = 1, .max = 64});
  if (!text) return std::nullopt;
  auto preset = signing_preset(*text);
  if (!preset) {
    name->mistake("invalid_value",
                  "There is no such signing profile; choose " + preset_names() + ".");
  }
  return with_next_header(std::move(preset), next_header);
}

void check_signing(const EndpointSettings& settings, const SecretText& secret, bool secret_given,
                   Mistakes& mistakes) {
  const SigningProfile profile = signing_profile_of(settings);
  check_url(settings, profile, mistakes);
  try {
    const Signer signer(profile, {secret, secret});  // as many as a rotation has
    check_static_headers(settings, signer, mistakes);
    check_form(settings, signer, mistakes);
    if (const auto problem = unsendable_header(signer)) throw std::invalid_argument(*problem);
  } catch (const std::invalid_argument& error) {
    mistakes.push_back(
        {"invalid_value", path_of(error.what(), profile, secret_given), error.what()});
  }
}

bool keeps_secret(const SigningProfile& before, const SigningProfile& after) {
  if (before.sealed_json || after.sealed_json) return before.sealed_json && after.sealed_json;
  if (after.algorithm == SignatureAlgorithm::none) return true;
  const bool has_pair = is_asymmetric(before.algorithm) || is_asymmetric(after.algorithm);
  if (has_pair && before.algorithm != after.algorithm) return false;
  if (before.ed25519_item.empty() != after.ed25519_item.empty()) return false;
  if (has_pair || after.secret_decoding == SecretDecoding::utf8) return true;
  return is_hmac(before.algorithm) && before.secret_decoding == after.secret_decoding;
}

}  // namespace sealpost
