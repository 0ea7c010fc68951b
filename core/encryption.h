// Encrypted bodies, as the ItPay webhook document has them: the body that the envelope made becomes
// the text of a NaCl box (base/box.h) for each of the receiver's keys, and the request's body is
//
//   {"encrypted":true,"key_fingerprint":F,"ciphertext":BASE64,"hmac_key_id":"whk_…"}
//
// of the primary key. If several keys are active, ,"recipients":[{"key_fingerprint":F,
// "hmac_key_id":"whk_…","ciphertext":BASE64},…] follows, with all of them, the primary first: a
// receiver that changes its key opens every request with whichever it has.
//
// JSON gets up to two spaces at its end, so that the box's length is divisible by 3 and its base64
// has no padding: receivers exist that split the signature header at every "=". Other bodies are
// encrypted as they are.
//
// Encryption comes first and the signature is over what is sent. It is done anew for each attempt:
// keys change at once, and no second copy of a payload is stored.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/box.h"
#include "base/clock.h"
#include "core/encryption_key.h"

namespace sealpost {

// What the component enc= of a Stripe-like signature header says. Only "body" is 3 bytes decoded,
// so it cannot be taken for a box (72 and more).
enum class EncHeader {
  automatic,  // "auto": the box in base64 if it is short, else "body"
  full,       // always the box; payloads that are too long for a header are refused
  body,       // always the word "body"
};
std::string_view to_text(EncHeader rule);
std::optional<EncHeader> enc_header_from_text(std::string_view text);

struct EncryptionSettings {
  bool enabled = false;
  EncHeader enc_header = EncHeader::automatic;
  // One ephemeral key pair serves for at most a minute and 65,536 bodies per recipient: 2 us
  // instead of 75 us a body. Whoever learns one shared key then reads all of these.
  bool reuse_ephemeral_keys = false;
  // Becomes the endpoint's only own key when the settings are stored; never set in what is read.
  std::optional<std::string> new_public_key{};
};

enum class BodyKind { json, other };

struct EncryptedBody {
  std::string json;
  std::string ciphertext;  // of the primary key, in base64
};

// Belongs to one thread (it keeps ephemeral keys).
class BodyEncryptor {
 public:
  // `random` must outlive this.
  explicit BodyEncryptor(Random& random) : random_(random) {}

  // `keys`: at least one, the primary first, all of them usable (is_usable_box_key).
  EncryptedBody encrypt(std::string body, BodyKind kind, const EncryptionSettings& settings,
                        std::span<const EncryptionKey> keys, WallTime now);

 private:
  struct Kept {
    EphemeralBox box;
    WallTime made_at;
    int uses = 0;
  };
  std::string seal(std::string_view text, const EncryptionKey& key,
                   const EncryptionSettings& settings, WallTime now);
  const EphemeralBox& kept_box(const EncryptionKey& key, WallTime now);

  Random& random_;
  std::unordered_map<std::string, Kept> kept_;  // by public key
};

// The value of enc=; nullopt if it would be longer than a header may be.
std::optional<std::string> enc_component(EncHeader rule, BodyKind kind,
                                         const std::string& ciphertext);

}  // namespace sealpost
