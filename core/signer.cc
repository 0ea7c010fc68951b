#include "core/signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <variant>

#include "base/bytes.h"
#include "base/check.h"
#include "core/compiled_profile.h"
#include "core/form.h"
#include "core/signing_secret.h"

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
  std::string id;
  // What is signed and written with it, all filled in that the requests have in common.
  SigningTemplate content;
  SigningTemplate input_item;
  SigningTemplate item;
  std::variant<HmacKey, SecretText, P256PrivateKey> key;  // the second one is for Ed25519
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
  Compiled(SigningProfile of, const std::vector<SecretText>& secrets, std::string_view to)
      : CompiledProfile(std::move(of)),
        url(profile.url_query.empty() ? to : ""),
        uses_digest_hex(uses(Variable::body_sha256_hex)),
        uses_digest_base64(uses(Variable::body_sha256_base64)),
        uses_expires(uses(Variable::expires)),
        uses_nonce(uses(Variable::nonce)),
        uses_uri(uses(Variable::scheme) || uses(Variable::host) || uses(Variable::path) ||
                 uses(Variable::query)) {
    // What is the same in all requests.
    VariableValues known;
    std::string host;
    known.set(Variable::method, "POST");
    known.set(Variable::version, SEALPOST_VERSION);
    known.set(Variable::lf, "\n");
    if (!url.empty()) known.set_url(url, host);
    for (FurtherHeader& header : headers) header.value = header.value.filled(known);
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
        add_keys(secret, known, keys);
      } else if (profile.next_header && next_keys.empty()) {
        add_keys(secret, known, next_keys);
      }
    }
    signature_bytes = 64 + keys.size() * (2 * 64 + profile.item.size() + profile.join.size());
    if (profile.input_header.empty()) return;
    input_bytes = keys.size() * (160 + profile.input_item.size() + profile.join.size());
  }

  void add_keys(const SecretText& secret, VariableValues known, std::vector<SigningKey>& to) {
    const SecretHalves halves =
        profile.ed25519_item.empty() ? SecretHalves{secret, {}} : split_secret(secret);
    const std::string id = key_id(profile, secret);
    known.set(Variable::kid, id);
    if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
      add_key(id, item, decode_p256_secret(secret), known, to);
    } else if (profile.algorithm == SignatureAlgorithm::ed25519) {
      add_key(id, item, decode_ed25519_secret(secret), known, to);
    } else {
      std::optional<HmacKey> key;
      const auto bytes = decode_secret(halves.hmac, profile.secret_decoding);
      if (bytes) key.emplace(hmac_of(profile.algorithm), bytes->reveal());
      add_key(id, item, std::move(key), known, to);
    }
    if (profile.ed25519_item.empty()) return;
    add_key(id, ed25519_item, decode_ed25519_secret(halves.ed25519), known, to);
  }

  template <class Key>
  void add_key(const std::string& id, const SigningTemplate& written, std::optional<Key> key,
               VariableValues known, std::vector<SigningKey>& to) {
    if (!key) refuse_secret(profile);
    const NumberText label(static_cast<long long>(to.size()) + 1);
    known.set(Variable::n, label.text());
    to.push_back({.id = id,
                  .content = content.filled(known),
                  .input_item = input_item.filled(known),
                  .item = written.filled(known),
                  .key = *std::move(key)});
  }

  std::string url;  // of every request; empty: it comes with each
  bool uses_digest_hex;
  bool uses_digest_base64;
  bool uses_expires;
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
    append_sha256(values.get(Variable::body), cleared(tools.bytes_));
    return tools.bytes_;
  }

  void set_request_url(std::string_view url) {
    if (!compiled.url.empty()) {
      CHECK(url == compiled.url, "the signer was made for another URL");
    } else if (compiled.uses_uri) {
      values.set_url(url, tools.host_);
    } else {
      values.set(Variable::url, url);
    }
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
    const auto content = key.content.pieces(values, room);
    std::string& bytes = cleared(tools.bytes_);
    if (const auto* hmac = std::get_if<HmacKey>(&key.key)) {
      hmac->sign(content, bytes);
    } else if (const auto* p256 = std::get_if<P256PrivateKey>(&key.key)) {
      p256->sign(content, bytes);
    } else {
      tools.message_.clear();
      for (const std::string_view piece : content) tools.message_ += piece;
      ed25519_sign(std::get<SecretText>(key.key), tools.message_, bytes);
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
    key.item.append_to(out, values);
  }

  // All that stands in a signature header, and beside it in that of the inputs.
  std::string write_signatures(const std::vector<SigningKey>& keys, std::string& inputs) {
    std::string text;
    text.reserve(compiled.signature_bytes);
    values.set(Variable::kid, keys.front().id);
    compiled.prefix.append_to(text, values);
    for (const SigningKey& key : keys) {
      const bool is_first = &key == &keys.front();
      if (!is_first) text += compiled.profile.join;
      if (!is_first && !compiled.profile.input_header.empty()) inputs += compiled.profile.join;
      key.input_item.append_to(inputs, values);
      write_signature(key, text);
    }
    return text;
  }

  const Compiled& compiled;
  SigningTools& tools;
  VariableValues values;
  SigningTemplate::Pieces room;
};

Signer::Signer(SigningProfile profile, const std::vector<SecretText>& secrets, std::string_view url)
    : compiled_(std::make_unique<const Compiled>(std::move(profile), secrets, url)) {}

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

bool Signer::signs_form() const { return compiled_->content.uses(Variable::form_sorted); }

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
  const NumberText attempt(input.attempt_number);
  Signing signing{compiled, tools, {}, {}};
  VariableValues& values = signing.values;
  values.set(Variable::id, input.message_id);
  values.set(Variable::ts, timestamp.text());
  values.set(Variable::body, input.body);
  values.set(Variable::content_type, input.content_type);
  values.set(Variable::event_type, input.event_type);
  values.set(Variable::attempt, attempt.text());
  values.set(Variable::idem, input.idempotency_key);
  std::optional<TimestampText> expires;
  if (compiled.uses_expires) {
    expires.emplace(input.time + kSignatureLifetime, profile.timestamp);
    values.set(Variable::expires, expires->text());
  }
  if (compiled.uses_digest_hex) signing.set_body_digest_hex();
  if (compiled.uses_digest_base64) signing.set_body_digest_base64();
  std::optional<std::string> form;
  if (signs_form()) {
    form = sorted_form(input.body);
    CHECK(form, "the body is no form");
    values.set(Variable::form_sorted, *form);
  }
  signing.set_request_url(input.url);
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
