// The hash functions themselves and not EVP: OpenSSL 3 calls them deprecated, but every context of
// EVP is allocated anew for each digest, and none can be kept for a key and copied cheaply. See
// docs/decisions/0019-hashes-without-evp.md for what that costs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include "base/check.h"

namespace sealpost {
namespace {

struct Sha1 {
  using Context = SHA_CTX;
  static constexpr std::size_t kBlockBytes = SHA_CBLOCK;
  static constexpr std::size_t kDigestBytes = SHA_DIGEST_LENGTH;
  static constexpr auto kInit = SHA1_Init;
  static constexpr auto kUpdate = SHA1_Update;
  static constexpr auto kFinish = SHA1_Final;
};

struct Sha256 {
  using Context = SHA256_CTX;
  static constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
  static constexpr std::size_t kDigestBytes = SHA256_DIGEST_LENGTH;
  static constexpr auto kInit = SHA256_Init;
  static constexpr auto kUpdate = SHA256_Update;
  static constexpr auto kFinish = SHA256_Final;
};

struct Sha512 {
  using Context = SHA512_CTX;
  static constexpr std::size_t kBlockBytes = SHA512_CBLOCK;
  static constexpr std::size_t kDigestBytes = SHA512_DIGEST_LENGTH;
  static constexpr auto kInit = SHA512_Init;
  static constexpr auto kUpdate = SHA512_Update;
  static constexpr auto kFinish = SHA512_Final;
};

void require(int result, const char* call) {
  if (result == 1) return;
  throw std::runtime_error(std::string("OpenSSL refuses ") + call +
                           ": check that the installed libcrypto is complete");
}

template <class Hash>
typename Hash::Context begun() {
  typename Hash::Context context;
  require(Hash::kInit(&context), "to begin a hash");
  return context;
}

template <class Hash>
void read(typename Hash::Context& context, std::string_view bytes) {
  require(Hash::kUpdate(&context, bytes.data(), bytes.size()), "to hash");
}

template <class Hash>
using Digest = std::array<unsigned char, Hash::kDigestBytes>;

template <class Hash>
Digest<Hash> finished(typename Hash::Context& context) {
  Digest<Hash> digest;
  require(Hash::kFinish(digest.data(), &context), "to finish a hash");
  return digest;
}

std::string_view text_of(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Context, std::size_t kBytes>
void keep(const Context& context, std::array<std::byte, kBytes>& bytes) {
  static_assert(std::is_trivially_copyable_v<Context> && sizeof(Context) <= kBytes);
  std::memcpy(bytes.data(), &context, sizeof(Context));
}

template <class Context, std::size_t kBytes>
Context kept(const std::array<std::byte, kBytes>& bytes) {
  Context context;
  std::memcpy(&context, bytes.data(), sizeof(Context));
  return context;
}

// Calls `function` with the hash of that algorithm.
template <class Function>
void with_hash(HmacAlgorithm algorithm, Function function) {
  switch (algorithm) {
    case HmacAlgorithm::sha256:
      return function(Sha256{});
    case HmacAlgorithm::sha512:
      return function(Sha512{});
    case HmacAlgorithm::sha1:
      return function(Sha1{});
  }
  CHECK(false, "an HmacAlgorithm that does not exist");
}

}  // namespace

void append_sha256(std::string_view bytes, std::string& out) {
  auto context = begun<Sha256>();
  read<Sha256>(context, bytes);
  out += text_of(finished<Sha256>(context));
}

std::string sha256(std::string_view bytes) {
  std::string digest;
  append_sha256(bytes, digest);
  return digest;
}

HmacKey::HmacKey(HmacAlgorithm algorithm, std::string_view key) : algorithm_(algorithm) {
  with_hash(algorithm, [&]<class Hash>(Hash) { prepare<Hash>(key); });
}

HmacKey::~HmacKey() {
  OPENSSL_cleanse(inner_.data(), inner_.size());
  OPENSSL_cleanse(outer_.data(), outer_.size());
}

void HmacKey::sign(std::span<const std::string_view> pieces, std::string& out) const {
  with_hash(algorithm_, [&]<class Hash>(Hash) { sign_with<Hash>(pieces, out); });
}

// RFC 2104: H(K ^ opad, H(K ^ ipad, text)); a key that is longer than a block is hashed first.
template <class Hash>
void HmacKey::prepare(std::string_view key) {
  constexpr unsigned char kInnerPad = 0x36;
  constexpr unsigned char kOuterPad = 0x5c;
  std::array<unsigned char, Hash::kBlockBytes> block{};
  if (key.size() > block.size()) {
    auto context = begun<Hash>();
    read<Hash>(context, key);
    const auto digest = finished<Hash>(context);
    std::copy(digest.begin(), digest.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const auto keep_after_block = [&block](unsigned char pad, auto& bytes) {
    for (unsigned char& byte : block) byte ^= pad;
    auto context = begun<Hash>();
    read<Hash>(context, text_of(block));
    keep(context, bytes);
    OPENSSL_cleanse(&context, sizeof(context));
  };
  keep_after_block(kInnerPad, inner_);
  keep_after_block(kInnerPad ^ kOuterPad, outer_);
  OPENSSL_cleanse(block.data(), block.size());
}

template <class Hash>
void HmacKey::sign_with(std::span<const std::string_view> pieces, std::string& out) const {
  auto context = kept<typename Hash::Context>(inner_);
  for (const std::string_view piece : pieces) read<Hash>(context, piece);
  const auto digest = finished<Hash>(context);
  context = kept<typename Hash::Context>(outer_);
  read<Hash>(context, text_of(digest));
  out += text_of(finished<Hash>(context));
}

}  // namespace sealpost
