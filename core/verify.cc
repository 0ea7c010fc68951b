#include "core/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "core/rfc3339.h"
#include "core/signature_claim.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

constexpr size_t kMaxTimestampDigits = 15;  // milliseconds until the year 33658
constexpr size_t kMaxShownLength = 128;     // of an id or a type

// ----------------------------------------------------------------------------------- keys

// What can be verified with the secret that the receiver has.
struct VerificationKeys {
  std::optional<SecretText> hmac{};
  std::optional<std::string> ed25519{};  // public
  std::optional<std::string> p256{};     // public
  bool any() const { return hmac || ed25519 || p256; }
};

std::optional<std::string> ed25519_public(const SecretText& either_half) {
  if (auto key = decode_ed25519_public(either_half.reveal())) return key;
  const auto pair = decode_ed25519_secret(either_half);
  if (!pair) return std::nullopt;
  return std::string(ed25519_public_key(*pair));
}

std::optional<std::string> p256_public(const SecretText& either_half) {
  if (auto key = decode_p256_public(either_half.reveal())) return key;
  const auto pair = decode_p256_secret(either_half);
  if (!pair) return std::nullopt;
  return pair->public_spki();
}

VerificationKeys keys_of(const SigningProfile& profile, const SecretText& secret) {
  if (profile.algorithm == SignatureAlgorithm::ed25519) return {.ed25519 = ed25519_public(secret)};
  if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
    return {.p256 = p256_public(secret)};
  }
  if (profile.ed25519_item.empty()) return {.hmac = decode_secret(secret, profile.secret_decoding)};
  const SecretHalves halves = split_secret(secret);  // or one of them alone
  const SecretText& second = halves.ed25519.empty() ? halves.hmac : halves.ed25519;
  return {.hmac = decode_secret(halves.hmac, profile.secret_decoding),
          .ed25519 = ed25519_public(second)};
}

// --------------------------------------------------------------------------------- checks

std::optional<WallTime> parse_timestamp(std::string_view text, TimestampUnit unit) {
  if (unit == TimestampUnit::rfc3339) return parse_rfc3339_utc(text);
  const bool is_number =
      !text.empty() && text.size() <= kMaxTimestampDigits &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return std::nullopt;
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (unit == TimestampUnit::ms) return WallTime(std::chrono::milliseconds(number));
  constexpr long long kLastSecond = 999'999'999'999;  // the year 33658
  if (number > kLastSecond) return std::nullopt;
  return WallTime(std::chrono::seconds(number));
}

std::string timestamp_problem(const SignatureClaim& claim, WallTime now,
                              std::chrono::seconds tolerance) {
  const CompiledProfile& profile = claim.profile();
  if (!profile.uses(Variable::ts)) return "";
  const TimestampUnit unit = profile.profile.timestamp;
  // Beside each signature the same one stands, or none that differs would match.
  const VariableValues& values =
      claim.signatures().empty() ? claim.values() : claim.signatures().front().values;
  const auto sent = parse_timestamp(values.get(Variable::ts), unit);
  if (!sent) {
    return fmt::format("the timestamp is missing or not {}",
                       unit == TimestampUnit::s    ? "a number of Unix seconds"
                       : unit == TimestampUnit::ms ? "a number of Unix milliseconds"
                                                   : "a time like 2026-05-27T09:00:00Z");
  }
  const auto seconds = [](WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  };
  const long long age = seconds(now) - seconds(*sent);
  if (std::abs(age) <= tolerance.count()) return "";
  return fmt::format(
      "the timestamp is {} s in the {}, more than the {} s allowed: an old request, or a wrong "
      "clock",
      std::abs(age), age > 0 ? "past" : "future", tolerance.count());
}

std::string encode(std::string_view bytes, SignatureEncoding encoding) {
  switch (encoding) {
    case SignatureEncoding::hex:
      return hex_encode(bytes);
    case SignatureEncoding::base64:
      return base64_encode(bytes);
    case SignatureEncoding::base64url:
      return base64url_encode(bytes);
  }
  CHECK(false, "a SignatureEncoding that does not exist");
}

std::optional<std::string> decode(std::string_view text, SignatureEncoding encoding) {
  switch (encoding) {
    case SignatureEncoding::hex:
      return hex_decode(text);
    case SignatureEncoding::base64:
      return base64_decode(text);
    case SignatureEncoding::base64url:
      return base64url_decode(text);
  }
  CHECK(false, "a SignatureEncoding that does not exist");
}

bool matches(const ClaimedSignature& signature, const CompiledProfile& profile,
             const VerificationKeys& keys) {
  // A body that is no form has no fields; without this, nothing of it would be signed.
  const bool has_form = signature.values.has(Variable::form_sorted);
  if (profile.content.uses(Variable::form_sorted) && !has_form) return false;
  SigningTemplate::Pieces room;
  const auto content = profile.content.pieces(signature.values, room);
  const std::string_view text = signature.values.get(Variable::sig);
  const SignatureEncoding encoding = profile.profile.encoding;
  if (is_hmac(signature.algorithm)) {
    if (!keys.hmac) return false;
    std::string mac;
    HmacKey(hmac_of(signature.algorithm), keys.hmac->reveal()).sign(content, mac);
    return equal_constant_time(text, encode(mac, encoding));
  }
  const auto bytes = decode(text, encoding);
  if (!bytes) return false;
  if (signature.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
    return keys.p256 && p256_verify(*keys.p256, content, *bytes);
  }
  std::string message;
  for (const std::string_view piece : content) message += piece;
  return keys.ed25519 && ed25519_verify(*keys.ed25519, message, *bytes);
}

std::string signature_problem(const SignatureClaim& claim, const VerificationKeys& keys) {
  const std::string& name = claim.profile().profile.name;
  if (!keys.any()) {
    return fmt::format("the secret has not the form that the profile {} needs", name);
  }
  if (claim.signatures().empty()) {
    return "the signature header contains no signature of a known version";
  }
  const bool good =
      std::any_of(claim.signatures().begin(), claim.signatures().end(),
                  [&](const auto& signature) { return matches(signature, claim.profile(), keys); });
  return good ? "" : "no signature matches: another secret, or the body was changed on its way";
}

struct Verdict {
  std::string profile;
  std::string problem;
  std::string_view event_id{};  // from the headers, views into the request
  std::string_view event_type{};
  int likeness = 0;  // how much speaks for this profile, for choosing between those of one header
};

Verdict judge(const CompiledProfile& profile, const ReceivedRequest& request,
              const SecretText& secret, WallTime now, std::chrono::seconds tolerance) {
  const SignatureClaim claim(profile, request);
  const VerificationKeys keys = keys_of(profile.profile, secret);
  Verdict verdict{.profile = profile.profile.name,
                  .problem = timestamp_problem(claim, now, tolerance),
                  .event_id = claim.values().get(Variable::id),
                  .event_type = claim.values().get(Variable::event_type)};
  if (verdict.problem.empty()) verdict.problem = claim.url_problem();
  if (verdict.problem.empty()) verdict.problem = signature_problem(claim, keys);
  // A profile with two kinds of signature explains more of a header that has both.
  const int kinds = profile.profile.ed25519_item.empty() ? 1 : 2;
  verdict.likeness =
      (verdict.problem.empty() ? 8 : 0) + (claim.fits() ? 2 * kinds : 0) + (keys.any() ? 1 : 0);
  return verdict;
}

const std::vector<CompiledProfile>& known_profiles() {
  static const std::vector<CompiledProfile> list = [] {
    std::vector<CompiledProfile> profiles;
    for (const std::string_view name : signing_preset_names()) {
      SigningProfile profile = signing_preset(name).value();
      if (profile.algorithm != SignatureAlgorithm::none) profiles.emplace_back(std::move(profile));
    }
    return profiles;
  }();
  return list;
}

std::string missing_signature() {
  std::vector<std::string> names;
  for (const CompiledProfile& known : known_profiles()) {
    std::string name = lower_case(known.profile.signature_header);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return fmt::format("there is no signature header of a known profile ({})",
                     fmt::join(names, ", "));
}

// ------------------------------------------------------------------------------ id and type

// What a stranger sent is shown on a terminal: only short visible ASCII.
std::string shown(std::string_view text) {
  const bool harmless =
      text.size() <= kMaxShownLength &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return harmless ? std::string(text) : std::string();
}

std::string body_member(const nlohmann::json& body, const char* name) {
  if (!body.is_object()) return "";
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? shown(found->get_ref<const std::string&>())
                                                   : "";
}

// What the headers do not say, the body may.
void read_event(const ReceivedRequest& request, const Verdict& verdict,
                Verification& verification) {
  verification.event_id = shown(header_value(request, "webhook-id"));
  if (verification.event_id.empty()) verification.event_id = shown(verdict.event_id);
  verification.event_type = shown(verdict.event_type);
  if (!verification.event_id.empty() && !verification.event_type.empty()) return;

  const auto body = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (verification.event_id.empty()) verification.event_id = body_member(body, "id");
  if (verification.event_type.empty()) verification.event_type = body_member(body, "type");
}

Verification verification_of(const ReceivedRequest& request, Verdict verdict) {
  Verification verification;
  read_event(request, verdict, verification);
  verification.profile = std::move(verdict.profile);
  verification.problem = std::move(verdict.problem);
  verification.verified = verification.problem.empty();
  if (!verification.verified) verification.error = ReceiverErrorCode::webhook_signature_invalid;
  return verification;
}

}  // namespace

Verification verify_request(const ReceivedRequest& request, const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance) {
  std::optional<Verdict> best;
  for (const CompiledProfile& known : known_profiles()) {
    if (header_value(request, known.profile.signature_header).empty()) continue;
    Verdict verdict = judge(known, request, secret, now, tolerance);
    if (!best || verdict.likeness > best->likeness) best = std::move(verdict);
  }
  if (!best) best = Verdict{.profile = "", .problem = missing_signature()};
  return verification_of(request, *std::move(best));
}

Verification verify_request(const ReceivedRequest& request, const SigningProfile& profile,
                            const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance) {
  const CompiledProfile compiled(profile);
  if (profile.algorithm == SignatureAlgorithm::none) {
    return verification_of(request,
                           {.profile = profile.name, .problem = "the profile signs nothing"});
  }
  if (header_value(request, profile.signature_header).empty()) {
    return verification_of(
        request, {.profile = profile.name,
                  .problem = fmt::format("the header {} is missing", profile.signature_header)});
  }
  return verification_of(request, judge(compiled, request, secret, now, tolerance));
}

}  // namespace sealpost
