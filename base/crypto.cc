#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
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

// Fetched once per process, because that costs more than to encrypt a secret. Never freed: threads
// may encrypt until the very end.
EVP_CIPHER* aes_256_gcm_method() {
  static EVP_CIPHER* const method =
      require(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "EVP_CIPHER_fetch");
  return method;
}

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

}  // namespace

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
