#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <stdexcept>

#include "base/check.h"

namespace sealpost {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

[[noreturn]] void openssl_failed(const char* call) {
  throw std::runtime_error(std::string("OpenSSL refuses ") + call +
                           ": check that the installed libcrypto is complete (default provider)");
}

void require(int result, const char* call) {
  if (result != 1) openssl_failed(call);
}

template <class T>
T* require(T* object, const char* call) {
  if (object == nullptr) openssl_failed(call);
  return object;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Fetching costs more than signing does, so it is done once per process. Never freed: threads may
// sign until the very end.
EVP_MAC* hmac_method() {
  static EVP_MAC* const method = require(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "EVP_MAC_fetch");
  return method;
}

EVP_MD* sha256_method() {
  static EVP_MD* const method = require(EVP_MD_fetch(nullptr, "SHA256", nullptr), "EVP_MD_fetch");
  return method;
}

EVP_CIPHER* aes_256_gcm_method() {
  static EVP_CIPHER* const method =
      require(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "EVP_CIPHER_fetch");
  return method;
}

struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

CipherContext new_cipher_context() {
  return CipherContext(require(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
}

// OpenSSL counts in int. Secrets are short; this says so instead of cutting silently.
int length_of(std::string_view bytes) {
  CHECK(bytes.size() <= (1U << 30), "more than 1 GiB cannot be encrypted at once");
  return static_cast<int>(bytes.size());
}

const char* digest_name(HmacAlgorithm algorithm) {
  switch (algorithm) {
    case HmacAlgorithm::sha256:
      return "SHA256";
    case HmacAlgorithm::sha512:
      return "SHA512";
    case HmacAlgorithm::sha1:
      return "SHA1";
  }
  CHECK(false, "an HmacAlgorithm that does not exist");
}

}  // namespace

struct Hmac::State {
  std::unique_ptr<EVP_MAC_CTX, FreeMacContext> context;
};

// The digest is chosen here, with an empty key; later calls change only the key.
Hmac::Hmac(HmacAlgorithm algorithm) : state_(std::make_unique<State>()) {
  state_->context.reset(require(EVP_MAC_CTX_new(hmac_method()), "EVP_MAC_CTX_new"));
  std::string digest = digest_name(algorithm);
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  require(EVP_MAC_init(state_->context.get(), bytes_of(""), 0, parameters.data()), "EVP_MAC_init");
}

Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

void Hmac::sign(std::string_view key, std::span<const std::string_view> pieces, std::string& out) {
  EVP_MAC_CTX* const context = state_->context.get();
  // A null pointer would mean "the key of last time", and an empty view may have one.
  const std::string_view key_or_empty = key.empty() ? std::string_view("") : key;
  require(EVP_MAC_init(context, bytes_of(key_or_empty), key.size(), nullptr), "EVP_MAC_init");
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    require(EVP_MAC_update(context, bytes_of(piece), piece.size()), "EVP_MAC_update");
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  std::size_t length = 0;
  require(EVP_MAC_final(context, mac.data(), &length, mac.size()), "EVP_MAC_final");
  out.append(reinterpret_cast<const char*>(mac.data()), length);
}

void append_sha256(std::string_view bytes, std::string& out) {
  std::array<unsigned char, 32> digest;
  require(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, sha256_method(), nullptr),
          "EVP_Digest");
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string sha256(std::string_view bytes) {
  std::string digest;
  append_sha256(bytes, digest);
  return digest;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string encrypt_at_rest(const SecretText& key, std::string_view context,
                            const SecretText& plaintext, Random& random) {
  CHECK(key.size() == kKeyBytes, "AES-256 has a key of 32 bytes");
  const std::string_view plain = plaintext.reveal();
  std::string sealed(kNonceBytes + plain.size() + kTagBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(sealed.data(), kNonceBytes)));
  unsigned char* const nonce = bytes_of(sealed);
  unsigned char* const body = nonce + kNonceBytes;
  unsigned char* const tag = body + plain.size();

  const CipherContext cipher = new_cipher_context();
  int written = 0;
  require(EVP_EncryptInit_ex2(cipher.get(), aes_256_gcm_method(), bytes_of(key.reveal()), nonce,
                              nullptr),
          "EVP_EncryptInit_ex2");
  require(EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(context), length_of(context)),
          "EVP_EncryptUpdate");
  require(EVP_EncryptUpdate(cipher.get(), body, &written, bytes_of(plain), length_of(plain)),
          "EVP_EncryptUpdate");
  require(EVP_EncryptFinal_ex(cipher.get(), body + written, &written), "EVP_EncryptFinal_ex");
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag), "the GCM tag");
  return sealed;
}

std::optional<SecretText> decrypt_at_rest(const SecretText& key, std::string_view context,
                                          std::string_view ciphertext) {
  CHECK(key.size() == kKeyBytes, "AES-256 has a key of 32 bytes");
  if (ciphertext.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = ciphertext.substr(0, kNonceBytes);
  const std::string_view body =
      ciphertext.substr(kNonceBytes, ciphertext.size() - kNonceBytes - kTagBytes);
  std::string tag(ciphertext.substr(ciphertext.size() - kTagBytes));

  const CipherContext cipher = new_cipher_context();
  std::string plain(body.size(), '\0');
  int written = 0;
  require(EVP_DecryptInit_ex2(cipher.get(), aes_256_gcm_method(), bytes_of(key.reveal()),
                              bytes_of(nonce), nullptr),
          "EVP_DecryptInit_ex2");
  require(EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(context), length_of(context)),
          "EVP_DecryptUpdate");
  require(
      EVP_DecryptUpdate(cipher.get(), bytes_of(plain), &written, bytes_of(body), length_of(body)),
      "EVP_DecryptUpdate");
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()),
          "the GCM tag");
  SecretText opened(std::move(plain));  // before the verdict, so that it is wiped either way
  unsigned char nothing_left = 0;
  if (EVP_DecryptFinal_ex(cipher.get(), &nothing_left, &written) != 1) return std::nullopt;
  return opened;
}

}  // namespace sealpost
