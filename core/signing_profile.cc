#include "core/signing_profile.h"

#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<SignatureAlgorithm> kAlgorithms[] = {
    {SignatureAlgorithm::none, "none"},
    {SignatureAlgorithm::hmac_sha256, "hmac-sha256"},
    {SignatureAlgorithm::hmac_sha512, "hmac-sha512"},
    {SignatureAlgorithm::hmac_sha1, "hmac-sha1"},
    {SignatureAlgorithm::ed25519, "ed25519"},
    {SignatureAlgorithm::ecdsa_p256_sha256, "ecdsa-p256-sha256"},
};

constexpr Word<SecretDecoding> kDecodings[] = {
    {SecretDecoding::utf8, "utf8"},
    {SecretDecoding::hex, "hex"},
    {SecretDecoding::base64, "base64"},
    {SecretDecoding::base64url, "base64url"},
    {SecretDecoding::whsec_base64, "whsec_base64"},
};

constexpr Word<SignatureEncoding> kEncodings[] = {
    {SignatureEncoding::hex, "hex"},
    {SignatureEncoding::base64, "base64"},
    {SignatureEncoding::base64url, "base64url"},
};

constexpr Word<TimestampUnit> kUnits[] = {
    {TimestampUnit::s, "s"},
    {TimestampUnit::ms, "ms"},
    {TimestampUnit::rfc3339, "rfc3339"},
};

}  // namespace

std::string_view to_text(SignatureAlgorithm algorithm) { return text_of(kAlgorithms, algorithm); }
std::optional<SignatureAlgorithm> signature_algorithm_from_text(std::string_view text) {
  return value_of(kAlgorithms, text);
}

bool is_hmac(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::hmac_sha256 ||
         algorithm == SignatureAlgorithm::hmac_sha512 || algorithm == SignatureAlgorithm::hmac_sha1;
}

bool is_asymmetric(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::ed25519 ||
         algorithm == SignatureAlgorithm::ecdsa_p256_sha256;
}

bool has_key_pair(const SigningProfile& profile) {
  return is_asymmetric(profile.algorithm) || !profile.ed25519_item.empty();
}

std::string_view to_text(SecretDecoding decoding) { return text_of(kDecodings, decoding); }
std::optional<SecretDecoding> secret_decoding_from_text(std::string_view text) {
  return value_of(kDecodings, text);
}

std::string_view to_text(SignatureEncoding encoding) { return text_of(kEncodings, encoding); }
std::optional<SignatureEncoding> signature_encoding_from_text(std::string_view text) {
  return value_of(kEncodings, text);
}

std::string_view to_text(TimestampUnit unit) { return text_of(kUnits, unit); }
std::optional<TimestampUnit> timestamp_unit_from_text(std::string_view text) {
  return value_of(kUnits, text);
}

}  // namespace sealpost
