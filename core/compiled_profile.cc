#include "core/compiled_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/check.h"
#include "core/header_rules.h"

namespace sealpost {
namespace {

using enum Variable;

// The sender writes these itself, whatever the profile.
constexpr std::string_view kOwnHeaders[] = {"Content-Type", "Idempotency-Key", "User-Agent",
                                            "webhook-attempt"};

[[noreturn]] void refuse(std::string_view field, const std::string& why) {
  throw std::invalid_argument(fmt::format("{} {}", field, why));
}

void require_own_name(std::string_view field, std::string_view name) {
  if (!is_header_name(name) || is_transport_header(name)) {
    refuse(field, "must be the name of a header that HTTP does not use itself");
  }
  if (same_header_name(name.substr(0, 3), "ce-")) {
    refuse(field, "names a header that the envelope cloudevents-binary writes; choose another");
  }
  for (const std::string_view own : kOwnHeaders) {
    if (!same_header_name(name, own)) continue;
    refuse(field, fmt::format("names {}, which the sender writes itself; choose another", own));
  }
}

}  // namespace

CompiledProfile::CompiledProfile(SigningProfile of)
    : profile(std::move(of)),
      content("content", profile.content,
              {id, ts, expires, body, body_sha256_hex, body_sha256_base64, form_sorted, url, method,
               scheme, host, path, query, content_type, nonce, kid, lf}),
      prefix("prefix", profile.prefix, {ts, expires, id, nonce, kid}),
      item("item", profile.item, {sig, ts, expires, id, nonce, kid, n}),
      ed25519_item("ed25519_item", profile.ed25519_item, {sig, ts, expires, id, nonce, kid, n}),
      input_item("input_item", profile.input_item, {ts, expires, id, nonce, kid, n}),
      url_query("url_query", profile.url_query, {body_sha256_hex}) {
  for (const auto& [name, value] : profile.headers) {
    headers.push_back(
        {name, SigningTemplate("headers", value,
                               {ts, expires, id, event_type, version, nonce, kid, idem, attempt,
                                body_sha256_hex, body_sha256_base64})});
  }
  SigningTemplate("join", profile.join, {});  // for its complaints
  check_next_header();
  if (profile.next_header) {
    next_header = profile.signature_header + std::string(kNextHeaderSuffix);
  }
  check_headers();
  if (profile.algorithm != SignatureAlgorithm::none) check_verifiable();
}

bool CompiledProfile::uses(Variable variable) const {
  return content.uses(variable) || sends(variable);
}

// True if the receiver finds it in some header.
bool CompiledProfile::sends(Variable variable) const {
  if (prefix.uses(variable) || item.uses(variable) || ed25519_item.uses(variable)) return true;
  if (input_item.uses(variable)) return true;
  return std::any_of(headers.begin(), headers.end(),
                     [variable](const auto& header) { return header.value.uses(variable); });
}

// The others have no use for it: a list carries both signatures, and nothing else is single.
void CompiledProfile::check_next_header() const {
  if (!profile.next_header) return;
  const bool signs = profile.algorithm != SignatureAlgorithm::none && !profile.sealed_json;
  if (signs && !profile.many_signatures && profile.input_header.empty()) return;
  refuse("next_header",
         "is for profiles with a single signature in one header; leave it out, because this one "
         "signs with every valid secret, or not at all");
}

// Two headers of one name would reach the receiver joined by a comma, as one wrong value.
void CompiledProfile::check_headers() const {
  std::vector<std::string_view> names;
  const auto add = [&names](std::string_view field, std::string_view name) {
    require_own_name(field, name);
    for (const std::string_view earlier : names) {
      if (!same_header_name(name, earlier)) continue;
      refuse(field, fmt::format("writes the header {}, which is written twice; remove one", name));
    }
    names.push_back(name);
  };
  if (profile.algorithm != SignatureAlgorithm::none) {
    add("sig_header", profile.signature_header);
  }
  if (!next_header.empty()) add("next_header", next_header);
  if (!profile.input_header.empty()) add("input_header", profile.input_header);
  for (const FurtherHeader& header : headers) add("headers", header.name);
}

void CompiledProfile::check_verifiable() const {
  if (!item.uses(sig)) refuse("item", "does not contain the signature; write {sig} where it goes");
  if (!profile.ed25519_item.empty() && !ed25519_item.uses(sig)) {
    refuse("ed25519_item", "does not contain the signature; write {sig} where it goes");
  }
  const bool digest_in_url =
      content.uses(url) && (url_query.uses(body_sha256_hex) || url_query.uses(body_sha256_base64));
  if (!content.uses(body) && !content.uses(body_sha256_hex) && !content.uses(body_sha256_base64) &&
      !content.uses(form_sorted) && !digest_in_url) {
    refuse("content", "does not cover the body, so anybody could change it; add {body}");
  }
  constexpr std::pair<Variable, std::string_view> kMustBeSent[] = {
      {ts, "{ts}"}, {expires, "{expires}"}, {nonce, "{nonce}"}, {kid, "{kid}"}};
  for (const auto& [variable, name] : kMustBeSent) {
    if (!content.uses(variable) || sends(variable)) continue;
    refuse("content", fmt::format("signs {0}, which no header sends, so that nobody could verify "
                                  "it; add {0} to prefix or headers",
                                  name));
  }
  if (profile.many_signatures && profile.join.empty()) {
    refuse("join", "is empty, so that several signatures would run together; give a separator");
  }
}

HmacAlgorithm hmac_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::hmac_sha256:
      return HmacAlgorithm::sha256;
    case SignatureAlgorithm::hmac_sha512:
      return HmacAlgorithm::sha512;
    case SignatureAlgorithm::hmac_sha1:
      return HmacAlgorithm::sha1;
    case SignatureAlgorithm::none:
    case SignatureAlgorithm::ed25519:
    case SignatureAlgorithm::ecdsa_p256_sha256:
      break;
  }
  CHECK(false, "this algorithm is no HMAC");
}

TimestampText::TimestampText(WallTime time, TimestampUnit unit) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  if (unit == TimestampUnit::rfc3339) {
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{seconds - day};
    const auto end =
        fmt::format_to_n(text_.data(), text_.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                         static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()), clock.hours().count(),
                         clock.minutes().count(), clock.seconds().count());
    size_ = end.size;
    return;
  }
  const auto number = unit == TimestampUnit::ms
                          ? std::chrono::floor<Milliseconds>(time).time_since_epoch().count()
                          : seconds.time_since_epoch().count();
  const auto end = std::to_chars(text_.data(), text_.data() + text_.size(), number);
  size_ = static_cast<std::size_t>(end.ptr - text_.data());
}

}  // namespace sealpost
