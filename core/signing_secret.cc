#include "core/signing_secret.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "core/sealed_json.h"

namespace sealpost {
namespace {

constexpr std::string_view kHmacPrefix = "whsec_";
constexpr std::string_view kPrivatePrefix = "whsk_";
constexpr std::string_view kPublicPrefix = "whpk_";
// Standard Webhooks 1.0, "Secret": between 24 and 64 random bytes.
constexpr size_t kMinStandardKeyBytes = 24;
constexpr size_t kMaxStandardKeyBytes = 64;

std::optional<std::string> decode_text(std::string_view text, SecretDecoding decoding) {
  switch (decoding) {
    case SecretDecoding::utf8:
      return std::string(text);
    case SecretDecoding::hex:
      return hex_decode(text);
    case SecretDecoding::base64:
      return base64_decode(text);
    case SecretDecoding::base64url:
      return base64url_decode(text);
    case SecretDecoding::whsec_base64: {
      if (text.starts_with(kHmacPrefix)) text.remove_prefix(kHmacPrefix.size());
      std::optional<std::string> key = base64_decode(text);
      if (key && (key->size() < kMinStandardKeyBytes || key->size() > kMaxStandardKeyBytes)) {
        return std::nullopt;
      }
      return key;
    }
  }
  CHECK(false, "a SecretDecoding that does not exist");
}

std::string random_bytes(Random& random, size_t count) {
  std::string bytes(count, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

// 40 letters and digits: the base64 of 30 bytes.
std::string alphanumeric(Random& random) {
  constexpr int kMaxDraws = 1000;  // 28 % of all draws will do; 1,000 failures do not happen
  for (int draw = 0; draw < kMaxDraws; ++draw) {
    std::string text = base64_encode(random_bytes(random, 30));
    if (text.find_first_of("+/") == std::string::npos) return text;
  }
  CHECK(false, "the source of randomness repeats itself");
}

std::string new_hmac_secret(SecretDecoding decoding, Random& random) {
  switch (decoding) {
    case SecretDecoding::utf8:
    case SecretDecoding::whsec_base64:
      return std::string(kHmacPrefix) + alphanumeric(random);
    case SecretDecoding::base64:
    case SecretDecoding::base64url:
      return alphanumeric(random);
    case SecretDecoding::hex:
      return hex_encode(random_bytes(random, 32));
  }
  CHECK(false, "a SecretDecoding that does not exist");
}

std::string new_ed25519_secret(Random& random) {
  const SecretText key = new_ed25519_private_key(random);
  return std::string(kPrivatePrefix) + base64_encode(key.reveal());
}

std::string ed25519_public_text(const SecretText& secret) {
  const auto key = decode_ed25519_secret(secret);
  return key ? std::string(kPublicPrefix) + base64_encode(ed25519_public_key(*key)) : "";
}

// The members that RFC 7638 hashes, in the order of their names, without the closing brace.
std::string required_members(std::string_view public_key) {
  if (const auto bytes = decode_ed25519_public(public_key)) {
    return fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}")", base64url_encode(*bytes));
  }
  const auto spki = decode_p256_public(public_key);
  const auto point = spki ? p256_point(*spki) : std::nullopt;
  if (!point) return "";
  return fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}")", base64url_encode(point->x),
                     base64url_encode(point->y));
}

}  // namespace

std::optional<SecretText> decode_secret(const SecretText& secret, SecretDecoding decoding) {
  std::optional<std::string> key = decode_text(secret.reveal(), decoding);
  if (!key || key->empty()) return std::nullopt;
  return SecretText(std::move(*key));
}

std::optional<SecretText> decode_ed25519_secret(const SecretText& secret) {
  std::string_view text = secret.reveal();
  if (!text.starts_with(kPrivatePrefix)) return std::nullopt;
  text.remove_prefix(kPrivatePrefix.size());
  std::optional<std::string> bytes = base64_decode(text);
  if (!bytes) return std::nullopt;
  return ed25519_private_key(SecretText(std::move(*bytes)).reveal());
}

std::optional<P256PrivateKey> decode_p256_secret(const SecretText& secret) {
  std::optional<std::string> der = base64_decode(secret.reveal());
  if (!der) return std::nullopt;
  return P256PrivateKey::from_pkcs8(SecretText(std::move(*der)).reveal());
}

std::optional<std::string> decode_ed25519_public(std::string_view text) {
  if (!text.starts_with(kPublicPrefix)) return std::nullopt;
  std::optional<std::string> bytes = base64_decode(text.substr(kPublicPrefix.size()));
  if (!bytes || bytes->size() != kEd25519PublicBytes) return std::nullopt;
  return bytes;
}

std::optional<std::string> decode_p256_public(std::string_view text) {
  std::optional<std::string> der = base64_decode(text);
  if (!der || !p256_point(*der)) return std::nullopt;
  return der;
}

SecretHalves split_secret(const SecretText& secret) {
  const std::string_view text = secret.reveal();
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos) return {.hmac = secret, .ed25519 = {}};
  return {.hmac = SecretText(std::string(text.substr(0, comma))),
          .ed25519 = SecretText(std::string(text.substr(comma + 1)))};
}

SecretText new_signing_secret(const SigningProfile& profile, Random& random) {
  if (profile.sealed_json) return new_sealed_json_secret(random);
  if (profile.algorithm == SignatureAlgorithm::ed25519) {
    return SecretText(new_ed25519_secret(random));
  }
  if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
    return SecretText(base64_encode(P256PrivateKey::generate().pkcs8().reveal()));
  }
  std::string secret = new_hmac_secret(profile.secret_decoding, random);
  if (!profile.ed25519_item.empty()) secret += ',' + new_ed25519_secret(random);
  return SecretText(std::move(secret));
}

SecretText shared_part(const SigningProfile& profile, const SecretText& secret) {
  if (is_asymmetric(profile.algorithm)) return {};
  return profile.ed25519_item.empty() ? secret : split_secret(secret).hmac;
}

std::string public_key_of(const SigningProfile& profile, const SecretText& secret) {
  if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) {
    const auto key = decode_p256_secret(secret);
    return key ? base64_encode(key->public_spki()) : "";
  }
  if (profile.algorithm == SignatureAlgorithm::ed25519) return ed25519_public_text(secret);
  return profile.ed25519_item.empty() ? "" : ed25519_public_text(split_secret(secret).ed25519);
}

std::string jwk_thumbprint(std::string_view public_key) {
  const std::string members = required_members(public_key);
  return members.empty() ? "" : base64url_encode(sha256(members + "}"));
}

std::string public_key_jwk(std::string_view public_key) {
  const std::string members = required_members(public_key);
  if (members.empty()) return "";
  const std::string_view algorithm = public_key.starts_with(kPublicPrefix) ? "EdDSA" : "ES256";
  return fmt::format(R"({},"use":"sig","alg":"{}","kid":"{}"}})", members, algorithm,
                     jwk_thumbprint(public_key));
}

std::string secret_fingerprint(const SecretText& secret) {
  constexpr size_t kFingerprintBytes = 8;
  return hex_encode(std::string_view(sha256(secret.reveal())).substr(0, kFingerprintBytes));
}

}  // namespace sealpost
