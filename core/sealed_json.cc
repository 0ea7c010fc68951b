#include "core/sealed_json.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/aead.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/crypto.h"
#include "base/hash.h"

namespace sealpost {
namespace {

constexpr std::size_t kPacketNonceBytes = 16;
constexpr std::size_t kMacBytes = 64;
constexpr std::size_t kTokenBytes = 32;

std::string signature_of(const SecretText& root, std::string_view sid, std::string_view ts,
                         std::string_view nonce, std::string_view body) {
  const SecretText key = sealed_session_key(root, sid, "mac", kMacBytes);
  const std::array<std::string_view, 5> content{ts, ".", nonce, ".", body};
  std::string mac;
  HmacKey(HmacAlgorithm::sha512, key.reveal()).sign(content, mac);
  return "v1=" + hex_encode(mac);
}

std::string token_of(const SecretText& root, std::string_view sid) {
  return base64url_encode(sealed_session_key(root, sid, "token", kTokenBytes).reveal());
}

SecretText request_key(const SecretText& root, std::string_view sid) {
  return sealed_session_key(root, sid, "enc-req", kGcmKeyBytes);
}

// What the headers say must be what the protected header says, or one of them was exchanged.
bool same_as_headers(const SealedPacket& packet, const SealedHeaders& headers) {
  return packet.sid == headers.session && packet.nonce == headers.nonce &&
         packet.ts == headers.timestamp;
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
  HmacKey(HmacAlgorithm::sha512, master.reveal()).sign(message, root);
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
  return encode_sealed_json_secret(SecretText(draw_bytes(random, kSealedJsonRootBytes)));
}

SealedRequest seal_json(const SecretText& root, std::string_view key_id,
                        std::string_view content_type, std::string_view text, WallTime now,
                        Random& random) {
  const std::string sid = draw_bytes(random, kSealedSessionBytes);
  const std::string nonce = base64url_encode(draw_bytes(random, kPacketNonceBytes));
  const std::string session = base64url_encode(sid);
  const std::string ts =
      std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());

  // All of it is ours or visible ASCII, except the content type, which a producer may have named.
  const std::string header = fmt::format(
      R"({{"alg":"dir","enc":"A256GCM","kid":"{}","sid":"{}","ts":{},"nonce":"{}","cty":{}}})",
      key_id, session, ts, nonce, nlohmann::json(content_type).dump());
  SealedRequest request;
  request.body = write_packet(header, text, request_key(root, sid), random);
  request.headers = {
      {"X-RoboFlux-Timestamp", ts},
      {"X-RoboFlux-Nonce", nonce},
      {"X-RoboFlux-Session", session},
      {"X-RoboFlux-Token", token_of(root, sid)},
      {"X-RoboFlux-Signature", signature_of(root, sid, ts, nonce, request.body)},
  };
  request.session = {
      .root = root, .key_id = std::string(key_id), .session = session, .nonce = nonce};
  return request;
}

std::variant<OpenedRequest, SealedProblem> open_sealed_request(const SecretText& root,
                                                               const SealedHeaders& headers,
                                                               std::string_view body) {
  const auto sid = base64url_decode(headers.session);
  if (!sid || sid->size() != kSealedSessionBytes) {
    return not_verified("x-roboflux-session is not the base64url of 16 bytes");
  }
  const std::string expected = signature_of(root, *sid, headers.timestamp, headers.nonce, body);
  if (!equal_constant_time(headers.signature, expected)) {
    return not_verified("no signature matches: another secret, or the body was changed on its way");
  }
  if (!equal_constant_time(headers.token, token_of(root, *sid))) {
    return not_verified("x-roboflux-token is not that of the session");
  }
  const std::optional<SealedPacket> packet = read_packet(body);
  if (!packet || !packet->is_dir_gcm) {
    return not_opened("the body is not a flattened JWE of the kind dir, A256GCM");
  }
  if (!same_as_headers(*packet, headers)) {
    return not_opened("session, nonce or time differ between the headers and the body");
  }
  auto text = open_packet(*packet, request_key(root, *sid));
  if (!text) return not_opened("the body does not open: another secret, or it was changed");
  return OpenedRequest{.session = {.root = root,
                                   .key_id = packet->kid,
                                   .session = std::string(headers.session),
                                   .nonce = std::string(headers.nonce)},
                       .text = *std::move(text)};
}

}  // namespace sealpost
