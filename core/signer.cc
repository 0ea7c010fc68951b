#include "core/signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "base/bytes.h"
#include "base/check.h"
#include "core/compiled_profile.h"
#include "core/signing_secret.h"
#include "core/target_uri.h"

namespace sealpost {
namespace {

// An empty buffer that keeps its memory.
std::string& cleared(std::string& buffer) {
  buffer.clear();
  return buffer;
}

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

// One signature to make: a key, and what is written about it.
struct SigningKey {
  SignatureAlgorithm algorithm;
  SecretText secret;                   // decoded; for HMAC and Ed25519
  std::optional<P256PrivateKey> p256;  //
  std::string id;
  const SigningTemplate* item;
};

// The remedy for a secret that cannot be decoded. Never shows the secret.
std::string_view expected_form(const SigningProfile& profile) {
  if (profile.algorithm == SignatureAlgorithm::ed25519) {
    return "whsk_ and the base64 of 64 bytes (seed and public key) or of a 32-byte seed";
  }
  if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
    return "the base64 of a PKCS#8 private key on the curve P-256, on one line";
  }
  if (!profile.ed25519_item.empty()) {
    return "whsec_ and the base64 of 24 to 64 bytes, a comma, and whsk_ and the base64 of an "
           "Ed25519 key";
  }
  switch (profile.secret_decoding) {
    case SecretDecoding::utf8:
      return "any text that is not empty";
    case SecretDecoding::hex:
      return "an even number of hexadecimal digits";
    case SecretDecoding::base64:
      return "base64 with padding";
    case SecretDecoding::base64url:
      return "base64url without padding";
    case SecretDecoding::whsec_base64:
      return "whsec_ and the base64 of 24 to 64 bytes";
  }
  CHECK(false, "a SecretDecoding that does not exist");
}

[[noreturn]] void refuse_secret(const SigningProfile& profile) {
  throw std::invalid_argument(
      fmt::format("secret: the signing profile {} cannot use it; it must be {}", profile.name,
                  expected_form(profile)));
}

std::string key_id(const SigningProfile& profile, const SecretText& secret) {
  if (!profile.key_id.empty()) return profile.key_id;
  const std::string public_key = public_key_of(profile, secret);
  return public_key.empty() ? secret_fingerprint(secret) : jwk_thumbprint(public_key);
}

}  // namespace

struct Signer::Compiled : CompiledProfile {
  Compiled(SigningProfile of, const std::vector<SecretText>& secrets)
      : CompiledProfile(std::move(of)),
        uses_digest_hex(uses(Variable::body_sha256_hex)),
        uses_digest_base64(uses(Variable::body_sha256_base64)),
        uses_nonce(uses(Variable::nonce)),
        uses_uri(uses(Variable::scheme) || uses(Variable::host) || uses(Variable::path) ||
                 uses(Variable::query)) {
    if (profile.algorithm == SignatureAlgorithm::none) return;
    if (secrets.empty()) {
      throw std::invalid_argument(
          fmt::format("secret: the signing profile {} needs one; give the endpoint a secret, or "
                      "use the profile none",
                      profile.name));
    }
    // A dialect with room for one signature keeps to the oldest secret: whoever has not noticed a
    // rotation yet still verifies.
    for (const SecretText& secret : secrets) {
      const bool is_oldest = &secret == &secrets.back();
      if (profile.many_signatures || is_oldest) {
        add_keys(secret, keys);
      } else if (profile.next_header && next_keys.empty()) {
        add_keys(secret, next_keys);
      }
    }
    signature_bytes = 64 + keys.size() * (2 * 64 + profile.item.size() + profile.join.size());
    if (profile.input_header.empty()) return;
    input_bytes = keys.size() * (160 + profile.input_item.size() + profile.join.size());
  }

  void add_keys(const SecretText& secret, std::vector<SigningKey>& to) {
    const SecretHalves halves =
        profile.ed25519_item.empty() ? SecretHalves{secret, {}} : split_secret(secret);
    SigningKey key{profile.algorithm, {}, {}, key_id(profile, secret), &item};
    bool usable = true;
    if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
      key.p256 = decode_p256_secret(secret);
      usable = key.p256.has_value();
    } else {
      auto bytes = profile.algorithm == SignatureAlgorithm::ed25519
                       ? decode_ed25519_secret(secret)
                       : decode_secret(halves.hmac, profile.secret_decoding);
      usable = bytes.has_value();
      if (usable) key.secret = std::move(*bytes);
    }
    if (!usable) refuse_secret(profile);
    to.push_back(std::move(key));
    if (profile.ed25519_item.empty()) return;
    auto second = decode_ed25519_secret(halves.ed25519);
    if (!second) refuse_secret(profile);
    to.push_back(
        {SignatureAlgorithm::ed25519, std::move(*second), {}, to.back().id, &ed25519_item});
  }

  bool uses_digest_hex;
  bool uses_digest_base64;
  bool uses_nonce;
  bool uses_uri;
  std::vector<SigningKey> keys;       // in signing order
  std::vector<SigningKey> next_keys;  // of the secret that `keys` leaves out, for next_header
  std::size_t signature_bytes = 0;    // room for the whole signature header
  std::size_t input_bytes = 0;        // and for that of the inputs
};

// One call of sign().
struct Signer::Signing {
  // The SHA-256 of the body, in the encodings that somebody reads.
  void set_body_digest_hex() {
    append_hex(body_digest(), cleared(tools.digest_hex_));
    values.set(Variable::body_sha256_hex, tools.digest_hex_);
  }
  void set_body_digest_base64() {
    append_base64(body_digest(), cleared(tools.digest_base64_));
    values.set(Variable::body_sha256_base64, tools.digest_base64_);
  }
  std::string_view body_digest() {
    tools.body_sha256_.digest(values.get(Variable::body), cleared(tools.bytes_));
    return tools.bytes_;
  }

  void set_uri(std::string_view url) {
    if (!compiled.uses_uri) return;
    const TargetUri uri = target_uri(url, tools.host_);
    values.set(Variable::scheme, uri.scheme);
    values.set(Variable::host, uri.host);
    values.set(Variable::path, uri.path);
    values.set(Variable::query, uri.query);
  }

  void set_nonce() {
    if (!compiled.uses_nonce) return;
    // Nonces are no secrets, so many are drawn at once: a system call for each would be a sixth of
    // what an HMAC over headers costs.
    if (tools.nonces_used_ == tools.nonces_.size()) {
      tools.random_.fill(tools.nonces_);
      tools.nonces_used_ = 0;
    }
    const std::byte* const bytes = tools.nonces_.data() + tools.nonces_used_;
    tools.nonces_used_ += kNonceBytes;
    append_base64url({reinterpret_cast<const char*>(bytes), kNonceBytes}, cleared(tools.nonce_));
    values.set(Variable::nonce, tools.nonce_);
  }

  void write_signature(const SigningKey& key, std::string& out) {
    const auto content = compiled.content.pieces(values, room);
    std::string& bytes = cleared(tools.bytes_);
    if (key.algorithm == SignatureAlgorithm::ed25519) {
      tools.message_.clear();
      for (const std::string_view piece : content) tools.message_ += piece;
      ed25519_sign(key.secret, tools.message_, bytes);
    } else if (key.p256) {
      key.p256->sign(content, bytes);
    } else {
      tools.hmac(key.algorithm).sign(key.secret.reveal(), content, bytes);
    }
    tools.text_.clear();
    switch (compiled.profile.encoding) {
      case SignatureEncoding::hex:
        append_hex(bytes, tools.text_);
        break;
      case SignatureEncoding::base64:
        append_base64(bytes, tools.text_);
        break;
      case SignatureEncoding::base64url:
        append_base64url(bytes, tools.text_);
        break;
    }
    values.set(Variable::sig, tools.text_);
    key.item->append_to(out, values);
  }

  // All that stands in a signature header, and beside it in that of the inputs.
  std::string write_signatures(const std::vector<SigningKey>& keys, std::string& inputs) {
    std::string text;
    text.reserve(compiled.signature_bytes);
    values.set(Variable::kid, keys.front().id);
    compiled.prefix.append_to(text, values);
    int number = 0;
    for (const SigningKey& key : keys) {
      const NumberText label(++number);
      values.set(Variable::n, label.text());
      values.set(Variable::kid, key.id);
      if (number > 1) text += compiled.profile.join;
      if (number > 1 && !compiled.profile.input_header.empty()) inputs += compiled.profile.join;
      compiled.input_item.append_to(inputs, values);
      write_signature(key, text);
    }
    return text;
  }

  const Compiled& compiled;
  SigningTools& tools;
  VariableValues values;
  SigningTemplate::Pieces room;
};

Hmac& SigningTools::hmac(SignatureAlgorithm algorithm) {
  switch (hmac_of(algorithm)) {
    case HmacAlgorithm::sha256:
      return sha256_;
    case HmacAlgorithm::sha512:
      return sha512_;
    case HmacAlgorithm::sha1:
      return sha1_;
  }
  CHECK(false, "an HmacAlgorithm that does not exist");
}

Signer::Signer(SigningProfile profile, const std::vector<SecretText>& secrets)
    : compiled_(std::make_unique<const Compiled>(std::move(profile), secrets)) {}

Signer::~Signer() = default;

const SigningProfile& Signer::profile() const { return compiled_->profile; }

bool Signer::writes_header(std::string_view name) const {
  const SigningProfile& profile = compiled_->profile;
  if (profile.algorithm != SignatureAlgorithm::none &&
      same_header_name(name, profile.signature_header)) {
    return true;
  }
  if (same_header_name(name, profile.input_header)) return true;
  if (same_header_name(name, compiled_->next_header)) return true;
  return std::any_of(compiled_->headers.begin(), compiled_->headers.end(),
                     [name](const auto& header) { return same_header_name(name, header.name); });
}

void Signer::append_query(std::string& url, std::string_view body, SigningTools& tools) const {
  const Compiled& compiled = *compiled_;
  if (compiled.profile.url_query.empty()) return;
  Signing signing{compiled, tools, {}, {}};
  signing.values.set(Variable::body, body);
  signing.set_body_digest_hex();
  url += url.find('?') == std::string::npos ? '?' : '&';
  compiled.url_query.append_to(url, signing.values);
}

void Signer::sign(const SigningInput& input, SigningTools& tools,
                  std::vector<Header>& headers) const {
  const Compiled& compiled = *compiled_;
  const SigningProfile& profile = compiled.profile;
  const TimestampText timestamp(input.time, profile.timestamp);
  const TimestampText expires(input.time + kSignatureLifetime, profile.timestamp);
  const NumberText attempt(input.attempt_number);
  Signing signing{compiled, tools, {}, {}};
  VariableValues& values = signing.values;
  values.set(Variable::id, input.message_id);
  values.set(Variable::ts, timestamp.text());
  values.set(Variable::expires, expires.text());
  values.set(Variable::body, input.body);
  values.set(Variable::url, input.url);
  values.set(Variable::method, "POST");
  values.set(Variable::content_type, input.content_type);
  values.set(Variable::event_type, input.event_type);
  values.set(Variable::attempt, attempt.text());
  values.set(Variable::idem, input.idempotency_key);
  values.set(Variable::version, SEALPOST_VERSION);
  values.set(Variable::lf, "\n");
  if (compiled.uses_digest_hex) signing.set_body_digest_hex();
  if (compiled.uses_digest_base64) signing.set_body_digest_base64();
  signing.set_uri(input.url);
  signing.set_nonce();
  if (!compiled.keys.empty()) values.set(Variable::kid, compiled.keys.front().id);

  for (const auto& [name, value] : compiled.headers) {
    value.append_to(headers.emplace_back(Header{name, {}}).value, values);
  }
  if (compiled.keys.empty()) return;

  std::string inputs;
  inputs.reserve(compiled.input_bytes);
  std::string text = signing.write_signatures(compiled.keys, inputs);
  if (profile.has_enc_component && !input.enc.empty()) text.append(",enc=").append(input.enc);
  if (!profile.input_header.empty()) headers.push_back({profile.input_header, std::move(inputs)});
  headers.push_back({profile.signature_header, std::move(text)});
  if (compiled.next_keys.empty()) return;
  std::string no_inputs;
  headers.push_back(
      {compiled.next_header, signing.write_signatures(compiled.next_keys, no_inputs)});
}

std::optional<std::string> unsendable_header(const Signer& signer) {
  const std::string id = "evt_" + std::string(26, '0');
  const std::string type(kMaxEventTypeLength, 'a');
  SystemRandom random;
  SigningTools tools(random);
  std::vector<Header> headers;
  signer.sign({.message_id = id,
               .event_type = type,
               .idempotency_key = "wh_" + id + "-retry-1000",
               .url = "https://example.com/",
               .content_type = "application/json",
               .body = "{}",
               .time = WallTime{std::chrono::seconds(1'800'000'000)},
               .attempt_number = 1000},
              tools, headers);
  const SigningProfile& profile = signer.profile();
  for (const Header& header : headers) {
    const bool is_list = header.name == profile.signature_header ||
                         header.name == profile.signature_header + std::string(kNextHeaderSuffix);
    const std::string_view field = is_list                               ? "item"
                                   : header.name == profile.input_header ? "input_item"
                                                                         : "headers";
    if (header.value.size() > profile.max_header_value) {
      return fmt::format("{} makes the header {} longer than {} characters; shorten it", field,
                         header.name, profile.max_header_value);
    }
    if (!is_header_value(header.value)) {
      return fmt::format("{} makes a header {} that is empty, or begins or ends with a space",
                         field, header.name);
    }
  }
  return std::nullopt;
}

}  // namespace sealpost
