#include "core/sealed_packet.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace sealpost {
namespace {

using nlohmann::json;

constexpr std::string_view kInfo = "wh-sealed-json-v1|";

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

bool is_dir_gcm(const json& header) {
  return member(header, "alg") == "dir" && member(header, "enc") == "A256GCM" &&
         !header.contains("zip") && !header.contains("crit");
}

void read_header(const json& header, SealedPacket& packet) {
  packet.is_dir_gcm = is_dir_gcm(header);
  packet.kid = member(header, "kid").value_or("");
  packet.sid = member(header, "sid").value_or("");
  packet.nonce = member(header, "nonce").value_or("");
  packet.rnonce = member(header, "rnonce").value_or("");
  const auto ts = header.find("ts");
  if (ts != header.end() && ts->is_number_integer()) packet.ts = ts->dump();
}

}  // namespace

SecretText sealed_session_key(const SecretText& root, std::string_view sid,
                              std::string_view purpose, std::size_t bytes) {
  return hkdf_sha512(root, sid, fmt::format("{}{}", kInfo, purpose), bytes);
}

std::string draw_bytes(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string write_packet(std::string_view header, std::string_view text, const SecretText& key,
                         Random& random) {
  const std::string iv = draw_bytes(random, kGcmNonceBytes);
  const std::string protected_text = base64url_encode(header);
  const GcmSealed sealed = gcm_seal(key, iv, protected_text, text);
  return fmt::format(R"({{"protected":"{}","iv":"{}","ciphertext":"{}","tag":"{}"}})",
                     protected_text, base64url_encode(iv), base64url_encode(sealed.ciphertext),
                     base64url_encode(sealed.tag));
}

std::optional<SealedPacket> read_packet(std::string_view body) {
  const json object = json::parse(body, nullptr, /*allow_exceptions=*/false);
  auto text = member(object, "protected");
  const auto header = decoded_member(object, "protected");
  auto iv = decoded_member(object, "iv");
  auto ciphertext = decoded_member(object, "ciphertext");
  auto tag = decoded_member(object, "tag");
  if (!text || !header || !iv || !ciphertext || !tag) return std::nullopt;
  const json parsed = json::parse(*header, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return std::nullopt;
  SealedPacket packet;
  packet.protected_text = *std::move(text);
  packet.iv = *std::move(iv);
  packet.sealed = {.ciphertext = *std::move(ciphertext), .tag = *std::move(tag)};
  read_header(parsed, packet);
  return packet;
}

std::optional<SecretText> open_packet(const SealedPacket& packet, const SecretText& key) {
  return gcm_open(key, packet.iv, packet.protected_text, packet.sealed);
}

}  // namespace sealpost
