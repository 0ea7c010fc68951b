// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), by OpenSSL.
//
// Threads: everything here is safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sealpost {

std::string sha256(std::string_view bytes);                    // 32 raw bytes
void append_sha256(std::string_view bytes, std::string& out);  // the same, appended

enum class HmacAlgorithm { sha256, sha512, sha1 };  // sha1 only for dialects that fixed it long ago

// A key made ready for HMACs: the hash has already read the key's own two blocks, which is a good
// part of what a short message costs. Who knows it can sign like who knows the key, so it is wiped
// when it dies and shows nothing.
class HmacKey {
 public:
  HmacKey(HmacAlgorithm algorithm, std::string_view key);  // any length, also none
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;
  ~HmacKey();

  // Appends the raw MAC (20, 32 or 64 bytes) of the pieces, one after the other, to `out`.
  void sign(std::span<const std::string_view> pieces, std::string& out) const;

 private:
  template <class Hash>
  void prepare(std::string_view key);
  template <class Hash>
  void sign_with(std::span<const std::string_view> pieces, std::string& out) const;

  // OpenSSL's contexts, whose types stay out of this header; SHA-512's is the largest.
  static constexpr std::size_t kContextBytes = 216;
  HmacAlgorithm algorithm_;
  std::array<std::byte, kContextBytes> inner_{};  // has read key ^ ipad
  std::array<std::byte, kContextBytes> outer_{};  // has read key ^ opad
};

}  // namespace sealpost
