#include "base/box.h"

#include <sodium.h>

#include <span>
#include <stdexcept>

#include "base/check.h"

namespace sealpost {
namespace {

constexpr std::size_t kNonceBytes = crypto_box_NONCEBYTES;
constexpr std::size_t kMacBytes = crypto_box_MACBYTES;
static_assert(kBoxKeyBytes == crypto_box_PUBLICKEYBYTES &&
              kBoxKeyBytes == crypto_box_SECRETKEYBYTES);
static_assert(kBoxKeyBytes + kNonceBytes + kMacBytes == kBoxOverheadBytes);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void require_sodium() {
  static const bool ready = sodium_init() >= 0;
  CHECK(ready, "libsodium cannot be initialized on this system");
}

// nullopt: the public key has low order.
std::optional<SecretText> shared_key(std::string_view public_key, std::string_view private_key) {
  std::string shared(crypto_box_BEFORENMBYTES, '\0');
  const int result =
      crypto_box_beforenm(bytes_of(shared), bytes_of(public_key), bytes_of(private_key));
  if (result != 0) return std::nullopt;
  return SecretText(std::move(shared));
}

}  // namespace

bool is_usable_box_key(std::string_view public_key) {
  if (public_key.size() != kBoxKeyBytes) return false;
  require_sodium();
  return shared_key(public_key, std::string(kBoxKeyBytes, '\x5a')).has_value();
}

EphemeralBox::EphemeralBox(std::string_view recipient, Random& random) {
  if (recipient.size() != kBoxKeyBytes) {
    throw std::invalid_argument("an X25519 public key has 32 bytes");
  }
  require_sodium();
  std::string bytes(kBoxKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  const SecretText private_key(std::move(bytes));
  public_key_ = box_public_key(private_key);
  std::optional<SecretText> shared = shared_key(recipient, private_key.reveal());
  if (!shared) throw std::invalid_argument("this X25519 public key protects nothing (low order)");
  shared_key_ = *std::move(shared);
}

std::string EphemeralBox::seal(std::string_view text, Random& random) const {
  std::string box(kBoxOverheadBytes + text.size(), '\0');
  public_key_.copy(box.data(), kBoxKeyBytes);
  random.fill(std::as_writable_bytes(std::span(box).subspan(kBoxKeyBytes, kNonceBytes)));
  const unsigned char* const nonce = bytes_of(box) + kBoxKeyBytes;
  const int result =
      crypto_box_easy_afternm(bytes_of(box) + kBoxKeyBytes + kNonceBytes, bytes_of(text),
                              text.size(), nonce, bytes_of(shared_key_.reveal()));
  CHECK(result == 0, "libsodium refuses a text of this length");
  return box;
}

std::optional<SecretText> open_box(std::string_view box, const SecretText& private_key) {
  if (box.size() < kBoxOverheadBytes || private_key.size() != kBoxKeyBytes) return std::nullopt;
  require_sodium();
  const std::string_view ephemeral = box.substr(0, kBoxKeyBytes);
  const std::string_view nonce = box.substr(kBoxKeyBytes, kNonceBytes);
  const std::string_view sealed = box.substr(kBoxKeyBytes + kNonceBytes);
  std::string text(sealed.size() - kMacBytes, '\0');
  const int result =
      crypto_box_open_easy(bytes_of(text), bytes_of(sealed), sealed.size(), bytes_of(nonce),
                           bytes_of(ephemeral), bytes_of(private_key.reveal()));
  if (result != 0) return std::nullopt;
  return SecretText(std::move(text));
}

std::string box_public_key(const SecretText& private_key) {
  CHECK(private_key.size() == kBoxKeyBytes, "an X25519 private key has 32 bytes");
  require_sodium();
  std::string public_key(kBoxKeyBytes, '\0');
  const int result = crypto_scalarmult_base(bytes_of(public_key), bytes_of(private_key.reveal()));
  CHECK(result == 0, "libsodium cannot derive a public key");
  return public_key;
}

}  // namespace sealpost
