#include "base/aead.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "base/check.h"

namespace sealpost {
namespace {

void require(bool done, const char* call) {
  if (done) return;
  throw std::runtime_error(std::string("OpenSSL refuses ") + call +
                           ": check that the installed libcrypto is complete (default provider)");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int length_of(std::string_view bytes) {
  CHECK(bytes.size() <= (1U << 30), "more than 1 GiB cannot be encrypted at once");
  return static_cast<int>(bytes.size());
}

// Fetched once per process and never freed: threads may encrypt until the very end.
EVP_CIPHER* gcm_method() {
  static EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  require(method != nullptr, "EVP_CIPHER_fetch");
  return method;
}
EVP_KDF* hkdf_method() {
  static EVP_KDF* const method = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  require(method != nullptr, "EVP_KDF_fetch");
  return method;
}

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;
struct FreeKdf {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

Cipher new_cipher() {
  Cipher cipher(EVP_CIPHER_CTX_new());
  require(cipher != nullptr, "EVP_CIPHER_CTX_new");
  return cipher;
}

OSSL_PARAM octets(const char* name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

}  // namespace

GcmSealed gcm_seal(const SecretText& key, std::string_view nonce, std::string_view context,
                   std::string_view text) {
  CHECK(key.size() == kGcmKeyBytes && nonce.size() == kGcmNonceBytes,
        "AES-256-GCM has a key of 32 and a nonce of 12 bytes");
  GcmSealed sealed{.ciphertext = std::string(text.size(), '\0'),
                   .tag = std::string(kGcmTagBytes, '\0')};
  const Cipher cipher = new_cipher();
  int written = 0;
  require(EVP_EncryptInit_ex2(cipher.get(), gcm_method(), bytes_of(key.reveal()), bytes_of(nonce),
                              nullptr) == 1,
          "EVP_EncryptInit_ex2");
  require(EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(context),
                            length_of(context)) == 1,
          "EVP_EncryptUpdate");
  require(EVP_EncryptUpdate(cipher.get(), bytes_of(sealed.ciphertext), &written, bytes_of(text),
                            length_of(text)) == 1,
          "EVP_EncryptUpdate");
  unsigned char nothing_left = 0;
  require(EVP_EncryptFinal_ex(cipher.get(), &nothing_left, &written) == 1, "EVP_EncryptFinal_ex");
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagBytes,
                              sealed.tag.data()) == 1,
          "the GCM tag");
  return sealed;
}

std::optional<SecretText> gcm_open(const SecretText& key, std::string_view nonce,
                                   std::string_view context, const GcmSealed& sealed) {
  CHECK(key.size() == kGcmKeyBytes, "AES-256 has a key of 32 bytes");
  if (nonce.size() != kGcmNonceBytes || sealed.tag.size() != kGcmTagBytes) return std::nullopt;
  std::string tag = sealed.tag;
  std::string text(sealed.ciphertext.size(), '\0');
  const Cipher cipher = new_cipher();
  int written = 0;
  require(EVP_DecryptInit_ex2(cipher.get(), gcm_method(), bytes_of(key.reveal()), bytes_of(nonce),
                              nullptr) == 1,
          "EVP_DecryptInit_ex2");
  require(EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(context),
                            length_of(context)) == 1,
          "EVP_DecryptUpdate");
  require(EVP_DecryptUpdate(cipher.get(), bytes_of(text), &written, bytes_of(sealed.ciphertext),
                            length_of(sealed.ciphertext)) == 1,
          "EVP_DecryptUpdate");
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagBytes, tag.data()) == 1,
          "the GCM tag");
  SecretText opened(std::move(text));  // before the verdict, so that it is wiped either way
  unsigned char nothing_left = 0;
  if (EVP_DecryptFinal_ex(cipher.get(), &nothing_left, &written) != 1) return std::nullopt;
  return opened;
}

SecretText hkdf_sha512(const SecretText& key, std::string_view salt, std::string_view info,
                       std::size_t bytes) {
  const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context(EVP_KDF_CTX_new(hkdf_method()));
  require(context != nullptr, "EVP_KDF_CTX_new");
  std::string digest = "SHA512";
  const std::array<OSSL_PARAM, 5> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      octets(OSSL_KDF_PARAM_KEY, key.reveal()), octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  std::string derived(bytes, '\0');
  require(EVP_KDF_derive(context.get(), bytes_of(derived), derived.size(), parameters.data()) == 1,
          "EVP_KDF_derive");
  return SecretText(std::move(derived));
}

}  // namespace sealpost
