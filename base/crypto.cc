#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

#include "base/check.h"

namespace sealpost {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kMaxBlockBytes = 128;  // of SHA-512

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
EVP_MD* fetch_digest(const char* name) {
  return require(EVP_MD_fetch(nullptr, name, nullptr), "EVP_MD_fetch");
}
const EVP_MD* sha256_method() {
  static EVP_MD* const method = fetch_digest("SHA256");
  return method;
}
const EVP_MD* sha512_method() {
  static EVP_MD* const method = fetch_digest("SHA512");
  return method;
}
const EVP_MD* sha1_method() {
  static EVP_MD* const method = fetch_digest("SHA1");
  return method;
}

const EVP_MD* digest_method(HmacAlgorithm algorithm) {
  switch (algorithm) {
    case HmacAlgorithm::sha256:
      return sha256_method();
    case HmacAlgorithm::sha512:
      return sha512_method();
    case HmacAlgorithm::sha1:
      return sha1_method();
  }
  CHECK(false, "an HmacAlgorithm that does not exist");
}

EVP_CIPHER* aes_256_gcm_method() {
  static EVP_CIPHER* const method =
      require(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "EVP_CIPHER_fetch");
  return method;
}

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigestContext>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

DigestContext new_digest_context() {
  return DigestContext(require(EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
}

CipherContext new_cipher_context() {
  return CipherContext(require(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
}

// OpenSSL counts in int. Secrets are short; this says so instead of cutting silently.
int length_of(std::string_view bytes) {
  CHECK(bytes.size() <= (1U << 30), "more than 1 GiB cannot be encrypted at once");
  return static_cast<int>(bytes.size());
}

// `first` and then `pieces`, in a context that was used before. Short pieces are joined: each call
// of EVP_DigestUpdate costs as much as copying a hundred bytes.
void digest_pieces(EVP_MD_CTX* context, const EVP_MD* method, std::string_view first,
                   std::span<const std::string_view> pieces, unsigned char* out) {
  require(EVP_DigestInit_ex2(context, method, nullptr), "EVP_DigestInit_ex2");
  std::array<char, 512> joined;
  std::size_t used = 0;
  const auto update = [&](std::string_view bytes) {
    require(EVP_DigestUpdate(context, bytes.data(), bytes.size()), "EVP_DigestUpdate");
  };
  const auto add = [&](std::string_view piece) {
    if (piece.size() > joined.size() - used) {
      update({joined.data(), used});
      used = 0;
    }
    if (piece.size() > joined.size()) return update(piece);
    std::copy(piece.begin(), piece.end(), joined.data() + used);
    used += piece.size();
  };
  add(first);
  for (const std::string_view piece : pieces) add(piece);
  if (used > 0) update({joined.data(), used});
  require(EVP_DigestFinal_ex(context, out, nullptr), "EVP_DigestFinal_ex");
  OPENSSL_cleanse(joined.data(), joined.size());
}

}  // namespace

struct Hmac::State {
  const EVP_MD* method;
  DigestContext context = new_digest_context();
};

Hmac::Hmac(HmacAlgorithm algorithm)
    : state_(std::make_unique<State>(State{.method = digest_method(algorithm)})) {}

Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

// RFC 2104 in so many words: H(K ^ opad, H(K ^ ipad, text)). EVP_MAC would copy a context, which is
// an allocation, twice for every new key: that is every request here.
void Hmac::sign(std::string_view key, std::span<const std::string_view> pieces, std::string& out) {
  constexpr unsigned char kInnerPad = 0x36;
  constexpr unsigned char kOuterPad = 0x5c;
  EVP_MD_CTX* const context = state_->context.get();
  const EVP_MD* const method = state_->method;
  const std::size_t block_bytes = static_cast<std::size_t>(EVP_MD_get_block_size(method));
  const std::size_t digest_bytes = static_cast<std::size_t>(EVP_MD_get_size(method));
  std::array<unsigned char, kMaxBlockBytes> block{};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;

  if (key.size() > block_bytes) {
    digest_pieces(context, method, {}, std::span(&key, 1), block.data());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const std::string_view pad(reinterpret_cast<const char*>(block.data()), block_bytes);
  for (unsigned char& byte : block) byte ^= kInnerPad;
  digest_pieces(context, method, pad, pieces, digest.data());
  for (unsigned char& byte : block) byte ^= kInnerPad ^ kOuterPad;
  const std::string_view inner(reinterpret_cast<const char*>(digest.data()), digest_bytes);
  std::array<unsigned char, EVP_MAX_MD_SIZE> outer;
  digest_pieces(context, method, pad, std::span(&inner, 1), outer.data());
  OPENSSL_cleanse(block.data(), block.size());
  out.append(reinterpret_cast<const char*>(outer.data()), digest_bytes);
}

struct Sha256::State {
  DigestContext context = new_digest_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::digest(std::string_view bytes, std::string& out) {
  std::array<unsigned char, 32> digest;
  digest_pieces(state_->context.get(), sha256_method(), {}, std::span(&bytes, 1), digest.data());
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string sha256(std::string_view bytes) {
  std::string digest;
  Sha256().digest(bytes, digest);
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
