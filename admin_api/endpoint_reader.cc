#include "admin_api/endpoint_reader.h"

#include <algorithm>
#include <map>

#include "admin_api/encryption_reader.h"
#include "admin_api/endpoint_codec.h"
#include "admin_api/field_names.h"
#include "admin_api/json_value.h"
#include "admin_api/retry_codec.h"
#include "admin_api/secret_reader.h"
#include "admin_api/signing_reader.h"
#include "admin_api/validation_reader.h"
#include "base/check.h"
#include "core/header_rules.h"
#include "core/sealed_json.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

// Parts of the specification that are not built yet, and what they must say so that leaving them
// out changes nothing. Accepting more without doing it would be a lie.
struct LaterField {
  const char* name;
  const char* meaning;
};
constexpr LaterField kLaterFields[] = {
    {Field::tls, "TLS settings of an endpoint are"},
    {Field::auto_disable, "Disabling by itself is"},
};
constexpr const char* kReadOnlyFields[] = {Field::id, Field::status, Field::status_reason,
                                           Field::created_at, Field::updated_at};

// Reads one body into one set of settings.
class EndpointReader {
 public:
  enum class Mode { create, change };

  EndpointReader(std::string_view body, Mode mode, EndpointSettings settings,
                 const EndpointRules& rules)
      : rules_(rules),
        mode_(mode),
        root_(parse_json(body, mistakes_)),
        body_(JsonField(root_, "", mistakes_)),
        draft_{.tenant = {}, .settings = std::move(settings), .secret = {}},
        profile_before_(signing_profile_of(draft_.settings)) {}

  EndpointDraft read() {
    if (body_.valid()) read_fields();
    if (!mistakes_.empty()) throw Problem(std::move(mistakes_));
    return std::move(draft_);
  }

 private:
  void read_fields() {
    read_profile();
    read_url();
    read_enabled_events();
    read_description();
    read_envelope();
    if (const auto field = find(Field::encryption, [&] { draft_.settings.encryption = {}; })) {
      read_encryption(*field, draft_.settings.encryption);
    }
    const auto unvalidated = [&] { draft_.settings.validation = ValidationKind::none; };
    if (const auto field = find(Field::validation, unvalidated)) {
      read_validation(*field, draft_.settings.validation);
    }
    read_answer();
    read_retry_policy();
    read_limits();
    read_order();
    read_headers();
    read_metadata();
    read_tenant_and_secret();
    check_fixed_fields();
    body_.refuse_unknown();
    check_signer();
  }

  // A field that is given and not null. null in a PATCH, or absence in a creation, leads to
  // `reset`.
  template <class Reset>
  std::optional<JsonField> find(const char* name, Reset&& reset) {
    const auto field = body_.find(name);
    if (field && !field->is_null()) return field;
    if (field || mode_ == Mode::create) reset();
    return std::nullopt;
  }

  std::optional<JsonField> find_required(const char* name) {
    return find(name, [&] {
      mistakes_.push_back({"required", name, std::string(name) + " must be given."});
    });
  }

  void read_profile() {
    EndpointSettings& settings = draft_.settings;
    const auto use = [&](const SigningProfile& profile) {
      profile_ = profile;
      settings.signing_profile = profile.name;
      settings.custom_signing.reset();
      if (profile.name == kCustomProfile) settings.custom_signing = profile;
      settings.next_header = profile.next_header;
    };
    const auto field =
        find(Field::signing, [&] { use(signing_preset(rules_.default_profile).value()); });
    if (field) {
      const std::size_t before = mistakes_.size();
      const auto profile = read_signing_profile(*field);
      if (profile && mistakes_.size() == before) use(*profile);
    } else if (!profile_) {
      profile_ = signing_profile_of(settings);
    }
  }

  void read_url() {
    const auto field = find_required(Field::url);
    if (!field) return;
    const auto url = field->text({.min = 1, .max = kMaxUrlLength});
    if (!url) return;
    if (const auto error = url_error(*url, rules_.urls)) field->mistake("url_not_allowed", *error);
    draft_.settings.url = *url;
  }

  void read_enabled_events() {
    const auto field = find_required(Field::enabled_events);
    if (!field) return;
    const auto items = field->items(1, kMaxEnabledEvents);
    if (!items) return;
    std::vector<std::string> patterns;
    for (const JsonField& item : *items) {
      const auto pattern = item.text({.min = 1, .max = kMaxEventTypeLength});
      if (!pattern) continue;
      if (const auto error = event_pattern_error(*pattern)) item.mistake("invalid_value", *error);
      if (std::count(patterns.begin(), patterns.end(), *pattern) > 0) {
        item.mistake("duplicate", "The same pattern stands there twice; send it once.");
      }
      patterns.push_back(*pattern);
    }
    draft_.settings.enabled_events = std::move(patterns);
  }

  void read_description() {
    std::string& description = draft_.settings.description;
    const auto field = find(Field::description, [&] { description.clear(); });
    if (!field) return;
    if (const auto text = field->text({.max = kMaxDescriptionLength, .kind = TextKind::lines})) {
      description = *text;
    }
  }

  void read_envelope() {
    Envelope& envelope = draft_.settings.envelope;
    const auto field = find(Field::envelope, [&] {
      if (profile_) envelope = envelope_from_text(profile_->default_envelope).value();
    });
    if (!field) return;
    const auto text = field->text({.min = 1, .max = 64});
    if (!text) return;
    if (const auto known = envelope_from_text(*text)) {
      envelope = *known;
    } else {
      field->mistake("invalid_value",
                     "The envelope must be standard, itpay, pandora, raw, cloudevents or "
                     "cloudevents-binary.");
    }
  }

  void read_answer() {
    bool& required = draft_.settings.require_encrypted_response;
    const auto field = find(Field::require_encrypted_response, [&] { required = false; });
    const auto flag = field ? field->flag() : std::nullopt;
    if (flag) required = *flag;
    if (!required || !profile_ || profile_->sealed_json) return;
    mistakes_.push_back({"invalid_value", Field::require_encrypted_response,
                         "Only answers to the signing profile sealed-json may be encrypted; send "
                         "false, or choose that profile."});
  }

  void read_retry_policy() {
    const auto field = find(Field::retry, [&] {
      if (profile_) draft_.settings.retry = retry_preset(profile_->default_retry_preset).value();
    });
    if (!field) return;
    if (auto policy = read_retry(*field)) draft_.settings.retry = std::move(*policy);
  }

  void read_limits() {
    EndpointSettings& settings = draft_.settings;
    if (const auto field =
            find(Field::timeout_ms, [&] { settings.timeout = kDefaultRequestTimeout; })) {
      const auto number = field->integer(kMinRequestTimeout.count(), kMaxRequestTimeout.count());
      if (number) settings.timeout = Milliseconds(*number);
    }
    const auto reset = [&] { settings.max_in_flight = kDefaultEndpointInFlight; };
    if (const auto field = find(Field::max_in_flight, reset)) {
      const auto number = field->integer(1, kMaxEndpointInFlight);
      if (number) settings.max_in_flight = static_cast<int>(*number);
    }
    const auto unlimited = [&] { settings.rate_limit_per_second.reset(); };
    if (const auto field = find(Field::rate_limit_per_second, unlimited)) {
      const auto number = field->number(kMinRateLimit, kMaxRateLimit);
      if (number) settings.rate_limit_per_second = *number;
    }
  }

  void read_order() {
    EndpointSettings& settings = draft_.settings;
    read_word(Field::ordering, settings.ordering, Ordering::none, ordering_from_text,
              "none or fifo");
    read_word(Field::on_dead_letter, settings.on_dead_letter, OnDeadLetter::stop,
              on_dead_letter_from_text, "stop or continue");
  }

  template <class Enum>
  void read_word(const char* name, Enum& value, Enum standard,
                 std::optional<Enum> (*from_text)(std::string_view), const char* words) {
    const auto field = find(name, [&] { value = standard; });
    const auto text = field ? field->text({.min = 1, .max = 64}) : std::nullopt;
    if (!text) return;
    if (const auto known = from_text(*text)) {
      value = *known;
    } else {
      field->mistake("invalid_value", std::string(name) + " must be " + words + ".");
    }
  }

  void read_headers() {
    auto& headers = draft_.settings.headers;
    const auto field = find(Field::headers, [&] { headers.clear(); });
    if (!field) return;
    const auto members = field->members(2 * kMaxStaticHeaders);
    if (!members) return;
    for (const auto& [name, value] : *members) {
      const auto same = std::find_if(
          headers.begin(), headers.end(),
          [&, &member = name](const auto& entry) { return same_header_name(entry.first, member); });
      const bool hidden = value.raw_text() == kHiddenValue;
      if (hidden && mode_ == Mode::change && same != headers.end()) continue;
      if (same != headers.end() && same->first != name && !value.is_null()) {
        value.mistake("duplicate", "The header " + same->first +
                                       " is there already; names are "
                                       "compared without regard to case.");
        continue;
      }
      if (same != headers.end()) headers.erase(same);
      if (!value.is_null()) read_header(name, value);
    }
    if (headers.size() > kMaxStaticHeaders) {
      field->mistake("out_of_range",
                     "An endpoint may have " + std::to_string(kMaxStaticHeaders) + " headers.");
    }
  }

  void read_header(const std::string& name, const JsonField& value) {
    // Checked by header_error() and not as a text: it explains control characters better.
    if (!value.is_text()) return value.mistake("wrong_type", value.path() + " must be a text.");
    const std::string text = value.raw_text();
    if (text == kHiddenValue) {
      value.mistake("invalid_value", "*** stands for a hidden value; send the value itself.");
    } else if (const auto error = header_error(name, text)) {
      value.mistake("header_not_allowed", *error);
    } else {
      draft_.settings.headers.emplace(name, SecretText(text));
    }
  }

  void read_metadata() {
    auto& metadata = draft_.settings.metadata;
    const auto field = find(Field::metadata, [&] { metadata.clear(); });
    if (!field) return;
    const auto members = field->members(2 * kMaxMetadataEntries);
    if (!members) return;
    for (const auto& [name, value] : *members) {
      if (value.is_null()) {
        metadata.erase(name);
      } else if (name.empty() || name.size() > kMaxMetadataKeyLength || !JsonField::is_line(name)) {
        value.mistake("invalid_value", "A key must have 1 to " +
                                           std::to_string(kMaxMetadataKeyLength) +
                                           " bytes without control characters.");
      } else if (const auto text = value.text({.max = kMaxMetadataValueLength})) {
        metadata[name] = *text;
      }
    }
    if (metadata.size() > kMaxMetadataEntries) {
      field->mistake("out_of_range",
                     "An endpoint may have " + std::to_string(kMaxMetadataEntries) + " entries.");
    }
  }

  void read_tenant_and_secret() {
    const auto tenant = body_.find(Field::tenant);
    const auto secret = body_.find(Field::secret);
    if (mode_ == Mode::change) {
      if (tenant) tenant->mistake("read_only", "An endpoint keeps its tenant; create another one.");
      if (secret) secret->mistake("read_only", "The secret is changed by POST …/secrets/rotate.");
      return;
    }
    if (tenant && !tenant->is_null()) {
      draft_.tenant = tenant->text({.min = 1, .max = kMaxTenantLength});
      if (draft_.tenant && !is_tenant_name(*draft_.tenant)) {
        tenant->mistake("invalid_value", "A tenant is letters, digits or _ . : @ -");
      }
    }
    if (secret && !secret->is_null()) draft_.secret = read_given_secret(*secret, profile_);
  }

  void check_fixed_fields() {
    for (const LaterField& later : kLaterFields) {
      const auto field = body_.find(later.name);
      if (!field || field->is_null()) continue;
      field->mistake("not_supported_yet", std::string(later.meaning) +
                                              " not supported yet; leave " + later.name +
                                              " out or send null.");
    }
    for (const char* name : kReadOnlyFields) {
      if (const auto field = body_.find(name)) {
        field->mistake("read_only", std::string(name) + " is set by the service; leave it out.");
      }
    }
  }

  // Makes the signer once, for nothing but its complaints.
  void check_signer() {
    if (!profile_) return;
    check_validation(draft_.settings, *profile_, rules_.webhook_origin, mistakes_);
    if (profile_->sealed_json && draft_.settings.encryption.enabled) {
      mistakes_.push_back({"invalid_value", Field::encryption,
                           "The profile sealed-json encrypts by itself; send null."});
    }
    if (mode_ == Mode::change && !keeps_secret(profile_before_, *profile_)) {
      mistakes_.push_back(
          {"invalid_value", Field::signing,
           "The endpoint's secret may not be usable by this profile; create an endpoint "
           "with the new profile, and with a secret that fits it, instead."});
      return;
    }
    // Stands in for a secret that is made later or that only the store knows.
    SystemRandom random;
    const SecretText secret =
        draft_.secret ? *draft_.secret : new_signing_secret(*profile_, random);
    check_signing(draft_.settings, secret, draft_.secret.has_value(), mistakes_);
  }

  const EndpointRules& rules_;
  const Mode mode_;
  Mistakes mistakes_;
  const JsonValue root_;
  JsonObject body_;
  EndpointDraft draft_;
  const SigningProfile profile_before_;
  std::optional<SigningProfile> profile_;
};

}  // namespace

EndpointDraft read_new_endpoint(std::string_view body, const EndpointRules& rules) {
  return EndpointReader(body, EndpointReader::Mode::create, {}, rules).read();
}

EndpointSettings read_endpoint_changes(std::string_view body, const EndpointSettings& current,
                                       const EndpointRules& rules) {
  return EndpointReader(body, EndpointReader::Mode::change, current, rules).read().settings;
}

}  // namespace sealpost
