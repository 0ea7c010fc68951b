#include "core/encryption.h"

#include "base/bytes.h"
#include "base/check.h"
#include "core/limits.h"
#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<EncHeader> kEncHeaders[] = {
    {EncHeader::automatic, "auto"},
    {EncHeader::full, "full"},
    {EncHeader::body, "body"},
};

constexpr std::chrono::seconds kKeptFor{60};
constexpr int kKeptUses = 1 << 16;
constexpr std::size_t kMostKept = 10'000;  // recipients; then all are forgotten and made anew

void append_member(std::string_view name, std::string_view value, std::string& json) {
  json += '"';
  json += name;
  json += R"(":")";
  json += value;
  json += '"';
}

std::string to_json(std::span<const EncryptionKey> keys, std::span<const std::string> ciphertexts) {
  std::string json;
  json.reserve((keys.size() + 1) * (ciphertexts.front().size() + 200));
  json += R"({"encrypted":true,)";
  append_member("key_fingerprint", keys.front().fingerprint, json);
  json += ',';
  append_member("ciphertext", ciphertexts.front(), json);
  json += ',';
  append_member("hmac_key_id", keys.front().id.text(), json);
  if (keys.size() > 1) {
    json += R"(,"recipients":[)";
    for (std::size_t i = 0; i < keys.size(); ++i) {
      json += i == 0 ? "{" : ",{";
      append_member("key_fingerprint", keys[i].fingerprint, json);
      json += ',';
      append_member("hmac_key_id", keys[i].id.text(), json);
      json += ',';
      append_member("ciphertext", ciphertexts[i], json);
      json += '}';
    }
    json += ']';
  }
  json += '}';
  return json;
}

}  // namespace

std::string_view to_text(EncHeader rule) { return text_of(kEncHeaders, rule); }

std::optional<EncHeader> enc_header_from_text(std::string_view text) {
  return value_of(kEncHeaders, text);
}

EncryptedBody BodyEncryptor::encrypt(std::string body, BodyKind kind,
                                     const EncryptionSettings& settings,
                                     std::span<const EncryptionKey> keys, WallTime now) {
  CHECK(!keys.empty(), "a body is encrypted for somebody");
  static_assert(kBoxOverheadBytes % 3 == 0);
  if (kind == BodyKind::json) body.append((3 - body.size() % 3) % 3, ' ');
  std::vector<std::string> ciphertexts;
  for (const EncryptionKey& key : keys) {
    ciphertexts.push_back(base64_encode(seal(body, key, settings, now)));
  }
  std::string json = to_json(keys, ciphertexts);
  return {.json = std::move(json), .ciphertext = std::move(ciphertexts.front())};
}

std::string BodyEncryptor::seal(std::string_view text, const EncryptionKey& key,
                                const EncryptionSettings& settings, WallTime now) {
  if (settings.reuse_ephemeral_keys) return kept_box(key, now).seal(text, random_);
  return EphemeralBox(key.public_key, random_).seal(text, random_);
}

const EphemeralBox& BodyEncryptor::kept_box(const EncryptionKey& key, WallTime now) {
  const auto found = kept_.find(key.public_key);
  if (found != kept_.end()) {
    Kept& kept = found->second;
    // A wall clock may be set back; then the age is not known.
    const bool fresh = kept.made_at <= now && now - kept.made_at < kKeptFor;
    if (fresh && kept.uses++ < kKeptUses) return kept.box;
    kept_.erase(found);
  }
  if (kept_.size() >= kMostKept) kept_.clear();
  Kept kept{.box = EphemeralBox(key.public_key, random_), .made_at = now, .uses = 1};
  return kept_.emplace(key.public_key, std::move(kept)).first->second.box;
}

std::optional<std::string> enc_component(EncHeader rule, BodyKind kind,
                                         const std::string& ciphertext) {
  if (rule == EncHeader::body || kind == BodyKind::other) return "body";
  if (rule == EncHeader::automatic && ciphertext.size() > kMaxAutomaticEnc) return "body";
  if (ciphertext.size() > kMaxFullEnc) return std::nullopt;
  return ciphertext;
}

}  // namespace sealpost
