#include "core/sealed_json.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "base/aead.h"
#include "base/bytes.h"
#include "base/check.h"

namespace sealpost {
namespace {

using nlohmann::json;

constexpr std::string_view kInfo = "wh-sealed-json-v1|";
constexpr std::size_t kSessionBytes = 16;
constexpr std::size_t kPacketNonceBytes = 16;
constexpr std::size_t kMacBytes = 64;
constexpr std::size_t kTokenBytes = 32;

SecretText session_key(const SecretText& root, std::string_view sid, std::string_view purpose,
                       std::size_t bytes) {
  return hkdf_sha512(root, sid, fmt::format("{}{}", kInfo, purpose), bytes);
}

std::string draw(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string to_packet(std::string_view protected_header, std::string_view nonce,
                      const GcmSealed& sealed) {
  return fmt::format(R"({{"protected":"{}","iv":"{}","ciphertext":"{}","tag":"{}"}})",
                     protected_header, base64url_encode(nonce), base64url_encode(sealed.ciphertext),
                     base64url_encode(sealed.tag));
}

std::string signature_of(const SecretText& root, std::string_view sid, std::string_view ts,
                         std::string_view nonce, std::string_view body, Hmac& sha512) {
  const SecretText key = session_key(root, sid, "mac", kMacBytes);
  const std::array<std::string_view, 5> content{ts, ".", nonce, ".", body};
  std::string mac;
  sha512.sign(key.reveal(), content, mac);
  return "v1=" + hex_encode(mac);
}

std::string token_of(const SecretText& root, std::string_view sid) {
  return base64url_encode(session_key(root, sid, "token", kTokenBytes).reveal());
}

// A JWE's parts, decoded; nullopt if it is none in the form above.
struct Packet {
  std::string protected_text;
  json header;
  std::string nonce;
  GcmSealed sealed;
};

std::optional<std::string> member(const json& object, const char* name) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::string> decoded_member(const json& object, const char* name) {
  const auto text = member(object, name);
  return text ? base64url_decode(*text) : std::nullopt;
}

std::optional<Packet> read_packet(std::string_view body) {
  const json object = json::parse(body, nullptr, /*allow_exceptions=*/false);
  const auto text = member(object, "protected");
  const auto header = decoded_member(object, "protected");
  auto nonce = decoded_member(object, "iv");
  auto ciphertext = decoded_member(object, "ciphertext");
  auto tag = decoded_member(object, "tag");
  if (!text || !header || !nonce || !ciphertext || !tag) return std::nullopt;
  Packet packet{.protected_text = *text,
                .header = json::parse(*header, nullptr, false),
                .nonce = *std::move(nonce),
                .sealed = {.ciphertext = *std::move(ciphertext), .tag = *std::move(tag)}};
  const bool is_ours =
      member(packet.header, "alg") == "dir" && member(packet.header, "enc") == "A256GCM";
  return is_ours ? std::optional(std::move(packet)) : std::nullopt;
}

// What the headers say must be what the protected header says, or one of them was exchanged.
bool same_as_headers(const Packet& packet, const SealedHeaders& headers) {
  const auto ts = packet.header.find("ts");
  return member(packet.header, "sid") == headers.session &&
         member(packet.header, "nonce") == headers.nonce && ts != packet.header.end() &&
         ts->is_number_integer() && ts->dump() == headers.timestamp;
}

SealedProblem not_verified(std::string text) {
  return {ReceiverErrorCode::webhook_signature_invalid, std::move(text)};
}
SealedProblem not_opened(std::string text) {
  return {ReceiverErrorCode::webhook_decryption_failed, std::move(text)};
}

}  // namespace

SecretText sealed_json_root(const SecretText& master, std::string_view identity, int version) {
  const std::string_view nul("\0", 1);
  const std::string version_text = std::to_string(version);
  const std::array<std::string_view, 5> message{"wh-endpoint-v1", nul, identity, nul, version_text};
  std::string root;
  Hmac(HmacAlgorithm::sha512).sign(master.reveal(), message, root);
  return SecretText(std::move(root));
}

std::optional<SecretText> decode_sealed_json_secret(const SecretText& secret) {
  std::string_view text = secret.reveal();
  if (!text.starts_with(kSealedJsonSecretPrefix)) return std::nullopt;
  text.remove_prefix(kSealedJsonSecretPrefix.size());
  std::optional<std::string> root = base64_decode(text);
  if (!root || root->size() != kSealedJsonRootBytes) return std::nullopt;
  return SecretText(*std::move(root));
}

SecretText encode_sealed_json_secret(const SecretText& root) {
  CHECK(root.size() == kSealedJsonRootBytes, "a root secret has 64 bytes");
  return SecretText(std::string(kSealedJsonSecretPrefix) + base64_encode(root.reveal()));
}

SecretText new_sealed_json_secret(Random& random) {
  return encode_sealed_json_secret(SecretText(draw(random, kSealedJsonRootBytes)));
}

SealedRequest seal_json(const SecretText& root, std::string_view key_id,
                        std::string_view content_type, std::string_view text, WallTime now,
                        Random& random, Hmac& sha512) {
  const std::string sid = draw(random, kSessionBytes);
  const std::string nonce = base64url_encode(draw(random, kPacketNonceBytes));
  const std::string iv = draw(random, kGcmNonceBytes);
  const std::string session = base64url_encode(sid);
  const std::string ts =
      std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());

  // All of it is ours or visible ASCII, except the content type, which a producer may have named.
  const std::string header = fmt::format(
      R"({{"alg":"dir","enc":"A256GCM","kid":"{}","sid":"{}","ts":{},"nonce":"{}","cty":{}}})",
      key_id, session, ts, nonce, json(content_type).dump());
  const std::string protected_header = base64url_encode(header);
  const GcmSealed sealed =
      gcm_seal(session_key(root, sid, "enc-req", kGcmKeyBytes), iv, protected_header, text);
  SealedRequest request{.body = to_packet(protected_header, iv, sealed), .headers = {}};
  request.headers = {
      {"X-RoboFlux-Timestamp", ts},
      {"X-RoboFlux-Nonce", nonce},
      {"X-RoboFlux-Session", session},
      {"X-RoboFlux-Token", token_of(root, sid)},
      {"X-RoboFlux-Signature", signature_of(root, sid, ts, nonce, request.body, sha512)},
  };
  return request;
}

std::variant<OpenedRequest, SealedProblem> open_sealed_request(const SecretText& root,
                                                               const SealedHeaders& headers,
                                                               std::string_view body) {
  const auto sid = base64url_decode(headers.session);
  if (!sid || sid->size() != kSessionBytes) {
    return not_verified("x-roboflux-session is not the base64url of 16 bytes");
  }
  Hmac sha512(HmacAlgorithm::sha512);
  const std::string expected =
      signature_of(root, *sid, headers.timestamp, headers.nonce, body, sha512);
  if (!equal_constant_time(headers.signature, expected)) {
    return not_verified("no signature matches: another secret, or the body was changed on its way");
  }
  if (!equal_constant_time(headers.token, token_of(root, *sid))) {
    return not_verified("x-roboflux-token is not that of the session");
  }
  const std::optional<Packet> packet = read_packet(body);
  if (!packet) return not_opened("the body is not a flattened JWE of the kind dir, A256GCM");
  if (!same_as_headers(*packet, headers)) {
    return not_opened("session, nonce or time differ between the headers and the body");
  }
  auto text = gcm_open(session_key(root, *sid, "enc-req", kGcmKeyBytes), packet->nonce,
                       packet->protected_text, packet->sealed);
  if (!text) return not_opened("the body does not open: another secret, or it was changed");
  return OpenedRequest{.key_id = member(packet->header, "kid").value_or(""),
                       .nonce = std::string(headers.nonce),
                       .session = *sid,
                       .text = *std::move(text)};
}

}  // namespace sealpost
