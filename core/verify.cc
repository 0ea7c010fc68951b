#include "core/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/bytes.h"
#include "base/crypto.h"
#include "core/signing_profile.h"

namespace sealpost {
namespace {

constexpr size_t kMaxTimestampDigits = 12;  // until the year 33658
constexpr size_t kMaxShownLength = 128;     // of an id or a type

using Headers = std::map<std::string, std::string>;

// What a request claims: who signed which bytes when. All HMAC-SHA256.
struct Claim {
  std::string profile;
  SecretDecoding secret_decoding = SecretDecoding::utf8;
  SignatureEncoding encoding = SignatureEncoding::hex;
  std::optional<std::string> timestamp{};   // as it was sent; nullopt: the dialect has none
  std::vector<std::string> signatures{};    // any of them may match
  std::vector<std::string_view> content{};  // the signed pieces, views into the request
};

std::string_view header(const Headers& headers, const std::string& name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The rest of each part that begins with `prefix`.
std::vector<std::string> with_prefix(const std::vector<std::string_view>& parts,
                                     std::string_view prefix) {
  std::vector<std::string> found;
  for (const std::string_view part : parts) {
    if (part.starts_with(prefix)) found.emplace_back(part.substr(prefix.size()));
  }
  return found;
}

// ------------------------------------------------------- dialects: from header value to claim

// webhook-signature: v1,BASE64 v1,BASE64
Claim standard_claim(std::string_view value, const ReceivedRequest& request) {
  return {.profile = "standard",
          .secret_decoding = SecretDecoding::whsec_base64,
          .encoding = SignatureEncoding::base64,
          .timestamp = std::string(header(request.headers, "webhook-timestamp")),
          .signatures = with_prefix(split(value, ' '), "v1,"),
          .content = {header(request.headers, "webhook-id"), ".",
                      header(request.headers, "webhook-timestamp"), ".", request.body}};
}

// Stripe-Signature or Webhook-Signature: t=SECONDS,v1=HEX,v1=HEX
Claim stripe_claim(std::string profile, std::string_view value, const ReceivedRequest& request) {
  const std::vector<std::string_view> parts = split(value, ',');
  Claim claim{.profile = std::move(profile), .timestamp = ""};
  for (const std::string_view part : parts) {
    if (!part.starts_with("t=")) continue;
    claim.timestamp = std::string(part.substr(2));
    claim.content = {part.substr(2), ".", request.body};
  }
  claim.signatures = with_prefix(parts, "v1=");
  return claim;
}

Claim pandora_claim(std::string_view value, const ReceivedRequest& request) {
  return {.profile = "pandora",
          .timestamp = std::string(header(request.headers, "x-core-timestamp")),
          .signatures = {std::string(value)},
          .content = {request.body}};
}

Claim engenius_claim(std::string_view value, const ReceivedRequest& request) {
  const std::string_view timestamp = header(request.headers, "x-engenius-timestamp");
  return {.profile = "engenius",
          .timestamp = std::string(timestamp),
          .signatures = {std::string(value)},
          .content = {timestamp, request.body}};
}

Claim github_claim(std::string_view value, const ReceivedRequest& request) {
  return {.profile = "github",
          .signatures = with_prefix({value}, "sha256="),
          .content = {request.body}};
}

Claim slack_claim(std::string_view value, const ReceivedRequest& request) {
  const std::string_view timestamp = header(request.headers, "x-slack-request-timestamp");
  return {.profile = "slack",
          .timestamp = std::string(timestamp),
          .signatures = with_prefix({value}, "v0="),
          .content = {"v0:", timestamp, ":", request.body}};
}

std::optional<Claim> recognize(const ReceivedRequest& request) {
  const auto value = [&request](const char* name) { return header(request.headers, name); };
  // Two dialects share this header's name; only ItPay's begins with a time.
  if (const auto v = value("webhook-signature"); !v.empty()) {
    return v.starts_with("t=") ? stripe_claim("itpay", v, request) : standard_claim(v, request);
  }
  if (const auto v = value("stripe-signature"); !v.empty())
    return stripe_claim("stripe", v, request);
  if (const auto v = value("x-core-signature"); !v.empty()) return pandora_claim(v, request);
  if (const auto v = value("x-engenius-signature"); !v.empty()) return engenius_claim(v, request);
  if (const auto v = value("x-hub-signature-256"); !v.empty()) return github_claim(v, request);
  if (const auto v = value("x-slack-signature"); !v.empty()) return slack_claim(v, request);
  return std::nullopt;
}

// ----------------------------------------------------------------------------------- checks

std::optional<long long> parse_timestamp(std::string_view text) {
  if (text.empty() || text.size() > kMaxTimestampDigits) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  long long seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

std::string timestamp_problem(const Claim& claim, WallTime now, std::chrono::seconds tolerance) {
  if (!claim.timestamp) return "";
  const std::optional<long long> sent = parse_timestamp(*claim.timestamp);
  if (!sent) return "the timestamp is missing or not a number of Unix seconds";
  const long long here = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const long long age = here - *sent;
  if (std::abs(age) <= tolerance.count()) return "";
  return fmt::format(
      "the timestamp is {} s in the {}, more than the {} s allowed: an old request, or a wrong "
      "clock",
      std::abs(age), age > 0 ? "past" : "future", tolerance.count());
}

std::string signature_problem(const Claim& claim, const SecretText& secret) {
  const std::optional<SecretText> key = decode_secret(secret, claim.secret_decoding);
  if (!key)
    return fmt::format("the secret has not the form that the profile {} needs", claim.profile);
  if (claim.signatures.empty())
    return "the signature header contains no signature of a known version";

  std::string mac;
  Hmac(HmacAlgorithm::sha256).sign(key->reveal(), claim.content, mac);
  const std::string expected =
      claim.encoding == SignatureEncoding::hex ? hex_encode(mac) : base64_encode(mac);
  const bool matches = std::any_of(claim.signatures.begin(), claim.signatures.end(),
                                   [&expected](const std::string& signature) {
                                     return equal_constant_time(signature, expected);
                                   });
  return matches ? "" : "no signature matches: another secret, or the body was changed on its way";
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

void read_event(const ReceivedRequest& request, Verification& verification) {
  for (const char* name : {"webhook-id", "x-core-event-id", "x-github-delivery"}) {
    if (verification.event_id.empty()) verification.event_id = shown(header(request.headers, name));
  }
  verification.event_type = shown(header(request.headers, "x-github-event"));
  if (!verification.event_id.empty() && !verification.event_type.empty()) return;

  const auto body = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (verification.event_id.empty()) verification.event_id = body_member(body, "id");
  if (verification.event_type.empty()) verification.event_type = body_member(body, "type");
}

}  // namespace

Verification verify_request(const ReceivedRequest& request, const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance) {
  Verification verification;
  read_event(request, verification);
  const std::optional<Claim> claim = recognize(request);
  if (!claim) {
    verification.problem =
        "there is no signature header of a known profile (webhook-signature, stripe-signature, "
        "x-core-signature, x-engenius-signature, x-hub-signature-256, x-slack-signature)";
    return verification;
  }
  verification.profile = claim->profile;
  verification.problem = timestamp_problem(*claim, now, tolerance);
  if (verification.problem.empty()) verification.problem = signature_problem(*claim, secret);
  verification.verified = verification.problem.empty();
  return verification;
}

}  // namespace sealpost
