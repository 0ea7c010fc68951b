#include "base/random.h"

#include <sodium.h>

#include <array>
#include <cstring>

#include "base/check.h"

namespace sealpost {

double Random::unit() {
  std::array<std::byte, sizeof(std::uint64_t)> bytes;
  fill(bytes);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), bytes.size());
  return static_cast<double>(number >> 11) * 0x1p-53;
}

SystemRandom::SystemRandom() {
  CHECK(sodium_init() >= 0, "libsodium finds no source of randomness on this system");
}

void SystemRandom::fill(std::span<std::byte> out) { randombytes_buf(out.data(), out.size()); }

}  // namespace sealpost
