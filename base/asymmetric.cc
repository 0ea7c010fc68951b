#include "base/asymmetric.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "base/check.h"

namespace sealpost {
namespace {

static_assert(kEd25519SeedBytes == crypto_sign_ed25519_SEEDBYTES);
static_assert(kEd25519PublicBytes == crypto_sign_ed25519_PUBLICKEYBYTES);
static_assert(kEd25519PrivateBytes == crypto_sign_ed25519_SECRETKEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

SecretText key_pair_of(const unsigned char* seed) {
  std::string pair(kEd25519PrivateBytes, '\0');
  std::array<unsigned char, kEd25519PublicBytes> public_key;
  const int failed = crypto_sign_ed25519_seed_keypair(public_key.data(), bytes_of(pair), seed);
  CHECK(failed == 0, "libsodium derives a key pair from every seed");
  return SecretText(std::move(pair));
}

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Pkcs8 =
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, Release<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG, ECDSA_SIG_free>>;

void require(bool holds, const char* call) {
  if (holds) return;
  throw std::runtime_error(std::string("OpenSSL refuses ") + call +
                           ": check that the installed libcrypto is complete (default provider)");
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> group{};
  size_t length = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == "prime256v1";
}

Key public_key_of(std::string_view spki) {
  const unsigned char* at = bytes_of(spki);
  const unsigned char* const end = at + spki.size();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (!key || at != end || !is_p256(key.get())) return nullptr;
  return key;
}

// What OpenSSL writes into a buffer of its own choice of length: asked first, then filled.
template <class Write>
std::string der(Write&& write, const char* call) {
  const int length = write(nullptr);
  require(length > 0, call);
  std::string bytes(static_cast<size_t>(length), '\0');
  unsigned char* at = bytes_of(bytes);
  require(write(&at) == length, call);
  return bytes;
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1, "EVP_PKEY_get_bn_param");
  const std::unique_ptr<BIGNUM, Release<BIGNUM, BN_free>> owned(number);
  std::string bytes(kP256CoordinateBytes, '\0');
  require(BN_bn2binpad(number, bytes_of(bytes), kP256CoordinateBytes) > 0, "BN_bn2binpad");
  return bytes;
}

}  // namespace

std::optional<SecretText> ed25519_private_key(std::string_view bytes) {
  if (bytes.size() != kEd25519SeedBytes && bytes.size() != kEd25519PrivateBytes) {
    return std::nullopt;
  }
  SecretText key = key_pair_of(bytes_of(bytes));
  const bool is_pair = bytes.size() == kEd25519PrivateBytes;
  if (is_pair && key.reveal() != bytes) return std::nullopt;
  return key;
}

SecretText new_ed25519_private_key(Random& random) {
  std::array<std::byte, kEd25519SeedBytes> seed;
  random.fill(seed);
  SecretText key = key_pair_of(reinterpret_cast<const unsigned char*>(seed.data()));
  sodium_memzero(seed.data(), seed.size());
  return key;
}

std::string_view ed25519_public_key(const SecretText& private_key) {
  CHECK(private_key.size() == kEd25519PrivateBytes, "an Ed25519 private key has 64 bytes");
  return private_key.reveal().substr(kEd25519SeedBytes);
}

void ed25519_sign(const SecretText& private_key, std::string_view message, std::string& out) {
  CHECK(private_key.size() == kEd25519PrivateBytes, "an Ed25519 private key has 64 bytes");
  std::array<unsigned char, crypto_sign_ed25519_BYTES> signature;
  const int failed = crypto_sign_ed25519_detached(signature.data(), nullptr, bytes_of(message),
                                                  message.size(), bytes_of(private_key.reveal()));
  CHECK(failed == 0, "libsodium signs every message");
  out.append(reinterpret_cast<const char*>(signature.data()), signature.size());
}

bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature) {
  return public_key.size() == kEd25519PublicBytes &&
         signature.size() == crypto_sign_ed25519_BYTES &&
         crypto_sign_ed25519_verify_detached(bytes_of(signature), bytes_of(message), message.size(),
                                             bytes_of(public_key)) == 0;
}

struct P256PrivateKey::State {
  Key key;
};

std::optional<P256PrivateKey> P256PrivateKey::from_pkcs8(std::string_view text) {
  const unsigned char* at = bytes_of(text);
  const unsigned char* const end = at + text.size();
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(text.size())));
  if (!info || at != end) return std::nullopt;
  Key key(EVP_PKCS82PKEY(info.get()));
  if (!key || !is_p256(key.get())) return std::nullopt;
  return P256PrivateKey(std::make_shared<const State>(State{std::move(key)}));
}

P256PrivateKey P256PrivateKey::generate() {
  Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "EVP_EC_gen");
  return P256PrivateKey(std::make_shared<const State>(State{std::move(key)}));
}

SecretText P256PrivateKey::pkcs8() const {
  const Pkcs8 info(EVP_PKEY2PKCS8(state_->key.get()));
  require(info != nullptr, "EVP_PKEY2PKCS8");
  return SecretText(der([&](unsigned char** to) { return i2d_PKCS8_PRIV_KEY_INFO(info.get(), to); },
                        "i2d_PKCS8_PRIV_KEY_INFO"));
}

std::string P256PrivateKey::public_spki() const {
  return der([&](unsigned char** to) { return i2d_PUBKEY(state_->key.get(), to); }, "i2d_PUBKEY");
}

void P256PrivateKey::sign(std::span<const std::string_view> pieces, std::string& out) const {
  const DigestContext context(EVP_MD_CTX_new());
  require(context && EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr,
                                           state_->key.get(), nullptr) == 1,
          "EVP_DigestSignInit_ex");
  for (const std::string_view piece : pieces) {
    require(EVP_DigestSignUpdate(context.get(), piece.data(), piece.size()) == 1,
            "EVP_DigestSignUpdate");
  }
  std::array<unsigned char, 80> signature;  // DER of two 32-byte integers: at most 72
  size_t length = signature.size();
  require(EVP_DigestSignFinal(context.get(), signature.data(), &length) == 1,
          "EVP_DigestSignFinal");
  const unsigned char* at = signature.data();
  const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
  require(parsed != nullptr, "d2i_ECDSA_SIG");
  std::array<unsigned char, 2 * kP256CoordinateBytes> joined;
  require(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), joined.data(), kP256CoordinateBytes) > 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), joined.data() + kP256CoordinateBytes,
                           kP256CoordinateBytes) > 0,
          "BN_bn2binpad");
  out.append(reinterpret_cast<const char*>(joined.data()), joined.size());
}

std::optional<P256Point> p256_point(std::string_view spki) {
  const Key key = public_key_of(spki);
  if (!key) return std::nullopt;
  return P256Point{coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_X),
                   coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)};
}

bool p256_verify(std::string_view spki, std::span<const std::string_view> pieces,
                 std::string_view signature) {
  const Key key = public_key_of(spki);
  if (!key || signature.size() != 2 * kP256CoordinateBytes) return false;
  const EcdsaSignature numbers(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(bytes_of(signature), kP256CoordinateBytes, nullptr);
  BIGNUM* const s =
      BN_bin2bn(bytes_of(signature) + kP256CoordinateBytes, kP256CoordinateBytes, nullptr);
  require(numbers && r != nullptr && s != nullptr &&
              ECDSA_SIG_set0(numbers.get(), r, s) == 1,  // takes both over
          "ECDSA_SIG_set0");
  const std::string encoded =
      der([&](unsigned char** to) { return i2d_ECDSA_SIG(numbers.get(), to); }, "i2d_ECDSA_SIG");

  const DigestContext context(EVP_MD_CTX_new());
  require(context && EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr,
                                             key.get(), nullptr) == 1,
          "EVP_DigestVerifyInit_ex");
  for (const std::string_view piece : pieces) {
    require(EVP_DigestVerifyUpdate(context.get(), piece.data(), piece.size()) == 1,
            "EVP_DigestVerifyUpdate");
  }
  return EVP_DigestVerifyFinal(context.get(), bytes_of(encoded), encoded.size()) == 1;
}

}  // namespace sealpost
