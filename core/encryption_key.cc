#include "core/encryption_key.h"

#include <algorithm>

#include "base/box.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace sealpost {
namespace {

using namespace std::string_view_literals;

// What stands in front of the 32 bytes in the DER forms (RFC 8410).
constexpr std::string_view kPublicPrefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00"sv;
constexpr std::string_view kEd25519Prefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;
constexpr std::string_view kPrivatePrefix =
    "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20"sv;
constexpr std::string_view kEd25519PrivatePrefix =
    "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"sv;

constexpr std::string_view kPublicForms =
    "Send an X25519 public key: PEM, the base64 of its DER form (MCowBQYDK2VuAyEA…), or its 32 "
    "bytes as base64, base64url or hexadecimal.";
constexpr std::string_view kPrivateForms =
    "Give an X25519 private key: PEM, the base64 of its PKCS #8 form, or its 32 bytes as base64, "
    "base64url or hexadecimal.";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string without_space(std::string_view text) {
  std::string compact;
  std::copy_if(text.begin(), text.end(), std::back_inserter(compact),
               [](char c) { return !is_space(c); });
  return compact;
}

// The base64 between PEM's two lines; the text itself if it is not PEM.
std::string_view pem_body(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  constexpr std::string_view kDashes = "-----";
  if (!text.starts_with(kDashes)) return text;
  const std::size_t begin = text.find(kDashes, kDashes.size());
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + kDashes.size());
  return text.substr(0, text.find(kDashes));
}

// 64 hexadecimal digits are a key, though they are base64 of something else as well.
std::optional<std::string> decode(std::string_view text) {
  std::string compact = without_space(pem_body(text));
  if (compact.size() == 2 * kBoxKeyBytes) {
    if (auto bytes = hex_decode(compact)) return bytes;
  }
  while (compact.ends_with('=')) compact.pop_back();
  std::replace(compact.begin(), compact.end(), '+', '-');
  std::replace(compact.begin(), compact.end(), '/', '_');
  return base64url_decode(compact);
}

KeyError error(std::string problem, std::string_view remedy) {
  return {std::move(problem) + " " + std::string(remedy)};
}

// The 32 bytes, or what is there instead.
std::variant<std::string, KeyError> bare_public_key(std::string_view text) {
  const std::optional<std::string> bytes = decode(text);
  if (!bytes) return error("The key is in no encoding that is known.", kPublicForms);
  if (bytes->size() == kBoxKeyBytes) return *bytes;
  const bool whole = bytes->size() == kPublicPrefix.size() + kBoxKeyBytes;
  if (whole && bytes->starts_with(kPublicPrefix)) return bytes->substr(kPublicPrefix.size());
  if (bytes->starts_with(kEd25519Prefix)) {
    return error("This is an Ed25519 key: it signs and cannot encrypt.", kPublicForms);
  }
  if (bytes->starts_with(kPrivatePrefix) || bytes->starts_with(kEd25519PrivatePrefix)) {
    return error(
        "This is a private key, which nobody else may know. Make a new pair and keep its private "
        "half.",
        kPublicForms);
  }
  return error("This is not an X25519 key; one has 32 bytes, or 44 with its header.", kPublicForms);
}

}  // namespace

EncryptionKey encryption_key(EncryptionKeyId id, std::string public_key) {
  std::string fingerprint = key_fingerprint(public_key);
  return {.id = std::move(id),
          .public_key = std::move(public_key),
          .fingerprint = std::move(fingerprint)};
}

std::variant<std::string, KeyError> parse_public_key(std::string_view text) {
  auto parsed = bare_public_key(text);
  if (const auto* key = std::get_if<std::string>(&parsed); key && !is_usable_box_key(*key)) {
    return error("This key protects nothing: it is a point of low order.", kPublicForms);
  }
  return parsed;
}

std::variant<SecretText, KeyError> parse_private_key(std::string_view text) {
  std::optional<std::string> decoded = decode(text);
  if (!decoded) return error("The key is in no encoding that is known.", kPrivateForms);
  const SecretText bytes(*std::move(decoded));
  const std::string_view key = bytes.reveal();
  if (key.size() == kBoxKeyBytes) return bytes;
  if (key.size() == kPrivatePrefix.size() + kBoxKeyBytes && key.starts_with(kPrivatePrefix)) {
    return SecretText(std::string(key.substr(kPrivatePrefix.size())));
  }
  if (key.starts_with(kPublicPrefix)) {
    return error("This is the public key; only the private one decrypts.", kPrivateForms);
  }
  if (key.starts_with(kEd25519PrivatePrefix)) {
    return error("This is an Ed25519 key: it signs and cannot decrypt.", kPrivateForms);
  }
  return error("This is not an X25519 key; one has 32 bytes, or 48 with its header.",
               kPrivateForms);
}

std::string key_fingerprint(std::string_view public_key) {
  return hex_encode(sha256(std::string(kPublicPrefix) + std::string(public_key)));
}

std::string public_key_text(std::string_view public_key) {
  return base64_encode(std::string(kPublicPrefix) + std::string(public_key));
}

}  // namespace sealpost
