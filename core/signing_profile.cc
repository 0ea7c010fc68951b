#include "core/signing_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "base/bytes.h"
#include "base/check.h"
#include "core/header_rules.h"
#include "core/signing_template.h"

namespace sealpost {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
// Standard Webhooks 1.0, "Secret": between 24 and 64 random bytes.
constexpr size_t kMinStandardKeyBytes = 24;
constexpr size_t kMaxStandardKeyBytes = 64;

// A number as text without touching the heap.
class NumberText {
 public:
  explicit NumberText(long long number)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  std::string_view text() const {
    return {digits_.data(), static_cast<size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 20> digits_;  // the longest is -9223372036854775808
  const char* end_;
};

// The remedy for a secret that decode_secret() refuses. Never shows the secret.
std::string_view expected_form(SecretDecoding decoding) {
  switch (decoding) {
    case SecretDecoding::utf8:
      return "any text that is not empty";
    case SecretDecoding::hex:
      return "an even number of hexadecimal digits";
    case SecretDecoding::base64:
      return "base64 with padding";
    case SecretDecoding::whsec_base64:
      return "whsec_ and the base64 of 24 to 64 bytes";
  }
  CHECK(false, "a SecretDecoding that does not exist");
}

std::optional<std::string> decode_text(std::string_view text, SecretDecoding decoding) {
  switch (decoding) {
    case SecretDecoding::utf8:
      return std::string(text);
    case SecretDecoding::hex:
      return hex_decode(text);
    case SecretDecoding::base64:
      return base64_decode(text);
    case SecretDecoding::whsec_base64: {
      if (text.starts_with(kSecretPrefix)) text.remove_prefix(kSecretPrefix.size());
      std::optional<std::string> key = base64_decode(text);
      if (key && (key->size() < kMinStandardKeyBytes || key->size() > kMaxStandardKeyBytes)) {
        return std::nullopt;
      }
      return key;
    }
  }
  CHECK(false, "a SecretDecoding that does not exist");
}

std::vector<SecretText> decode_secrets(const SigningProfile& profile,
                                       const std::vector<SecretText>& secrets) {
  if (!profile.algorithm) return {};
  if (secrets.empty()) {
    throw std::invalid_argument(
        fmt::format("secret: the signing profile {} needs one; give the endpoint a secret, or use "
                    "the profile none",
                    profile.name));
  }
  std::vector<SecretText> keys;
  for (const SecretText& secret : secrets) {
    std::optional<SecretText> key = decode_secret(secret, profile.secret_decoding);
    if (!key) {
      throw std::invalid_argument(
          fmt::format("secret: the signing profile {} cannot use it; it must be {}", profile.name,
                      expected_form(profile.secret_decoding)));
    }
    keys.push_back(std::move(*key));
  }
  // A dialect with room for one signature keeps to the oldest secret: whoever has not noticed a
  // rotation yet still verifies.
  if (!profile.many_signatures) keys.erase(keys.begin(), keys.end() - 1);
  return keys;
}

void require_own_name(const SigningProfile& profile, std::string_view field,
                      std::string_view name) {
  if (is_header_name(name) && !is_transport_header(name)) return;
  throw std::invalid_argument(fmt::format(
      "signing profile {}: {} must be the name of a header that HTTP does not use itself",
      profile.name, field));
}

}  // namespace

struct Signer::Compiled {
  struct FurtherHeader {
    std::string name;
    SigningTemplate value;
  };

  Compiled(SigningProfile of, const std::vector<SecretText>& secrets)
      : profile(std::move(of)),
        keys(decode_secrets(profile, secrets)),
        content("content", profile.content,
                {Variable::id, Variable::ts, Variable::body, Variable::url}),
        prefix("prefix", profile.prefix, {Variable::ts, Variable::id}),
        item("item", profile.item, {Variable::sig, Variable::ts, Variable::id}),
        join("join", profile.join, {}) {
    if (profile.algorithm) {
      require_own_name(profile, "signature_header", profile.signature_header);
      if (!item.uses(Variable::sig)) {
        throw std::invalid_argument(
            "item does not contain the signature; write {sig} where it goes");
      }
    }
    for (const auto& [name, value] : profile.headers) {
      require_own_name(profile, "headers", name);
      headers.push_back({name, SigningTemplate("headers", value,
                                               {Variable::ts, Variable::id, Variable::event_type,
                                                Variable::attempt, Variable::idem})});
    }
    require_different_names();
  }

  // Two headers of one name would reach the receiver joined by a comma, as one wrong value.
  void require_different_names() const {
    std::vector<std::string_view> names{profile.signature_header};
    for (const FurtherHeader& header : headers) {
      for (const std::string_view earlier : names) {
        if (!same_header_name(header.name, earlier)) continue;
        throw std::invalid_argument(
            fmt::format("signing profile {}: the header {} is written twice; remove one",
                        profile.name, earlier));
      }
      names.push_back(header.name);
    }
  }

  SigningProfile profile;
  std::vector<SecretText> keys;  // decoded, in signing order
  SigningTemplate content;
  SigningTemplate prefix;
  SigningTemplate item;
  SigningTemplate join;
  std::vector<FurtherHeader> headers;
  // Room for the whole signature header: a prefix, and per key up to 64 bytes of MAC in hex.
  size_t signature_bytes = 64 + keys.size() * (2 * 64 + profile.item.size() + profile.join.size());
};

Signer::Signer(SigningProfile profile, const std::vector<SecretText>& secrets)
    : compiled_(std::make_unique<const Compiled>(std::move(profile), secrets)) {}

Signer::~Signer() = default;

const SigningProfile& Signer::profile() const { return compiled_->profile; }

bool Signer::writes_header(std::string_view name) const {
  if (compiled_->profile.algorithm && same_header_name(name, compiled_->profile.signature_header)) {
    return true;
  }
  return std::any_of(compiled_->headers.begin(), compiled_->headers.end(),
                     [name](const auto& header) { return same_header_name(name, header.name); });
}

void Signer::sign(const SigningInput& input, Hmac& hmac, std::vector<Header>& headers) const {
  const Compiled& compiled = *compiled_;
  const NumberText timestamp(input.timestamp_seconds);
  const NumberText attempt(input.attempt_number);
  VariableValues values;
  values.set(Variable::id, input.message_id);
  values.set(Variable::ts, timestamp.text());
  values.set(Variable::body, input.body);
  values.set(Variable::url, input.url);
  values.set(Variable::event_type, input.event_type);
  values.set(Variable::attempt, attempt.text());
  values.set(Variable::idem, input.idempotency_key);

  for (const auto& [name, value] : compiled.headers) {
    value.append_to(headers.emplace_back(Header{name, {}}).value, values);
  }
  if (!compiled.profile.algorithm) return;

  std::string& text = headers.emplace_back(Header{compiled.profile.signature_header, {}}).value;
  text.reserve(compiled.signature_bytes);
  compiled.prefix.append_to(text, values);
  SigningTemplate::Pieces room;
  const auto content = compiled.content.pieces(values, room);
  std::string mac;
  for (const SecretText& key : compiled.keys) {
    mac.clear();
    hmac.sign(key.reveal(), content, mac);
    const bool is_hex = compiled.profile.encoding == SignatureEncoding::hex;
    const std::string signature = is_hex ? hex_encode(mac) : base64_encode(mac);
    values.set(Variable::sig, signature);
    if (&key != &compiled.keys.front()) compiled.join.append_to(text, values);
    compiled.item.append_to(text, values);
  }
  if (compiled.profile.has_enc_component && !input.enc.empty()) {
    text.append(",enc=").append(input.enc);
  }
}

std::optional<SecretText> decode_secret(const SecretText& secret, SecretDecoding decoding) {
  std::optional<std::string> key = decode_text(secret.reveal(), decoding);
  if (!key || key->empty()) return std::nullopt;
  return SecretText(std::move(*key));
}

SecretText new_signing_secret(Random& random) {
  constexpr int kMaxDraws = 1000;  // 28 % of all draws will do; 1,000 failures do not happen
  for (int draw = 0; draw < kMaxDraws; ++draw) {
    std::array<std::byte, 30> bytes;
    random.fill(bytes);
    std::string text = base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (text.find_first_of("+/") != std::string::npos) continue;
    return SecretText(std::string(kSecretPrefix) + text);
  }
  CHECK(false, "the source of randomness repeats itself");
}

std::string secret_fingerprint(const SecretText& secret) {
  constexpr size_t kFingerprintBytes = 8;
  return hex_encode(std::string_view(sha256(secret.reveal())).substr(0, kFingerprintBytes));
}

}  // namespace sealpost
