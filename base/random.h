// Randomness behind a seam. SystemRandom is cryptographically secure (libsodium); tests pass a
// seeded fake. Threads: every implementation is safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sealpost {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `out` with uniformly distributed bytes.
  virtual void fill(std::span<std::byte> out) = 0;
  // Uniform in [0, 1), from 53 random bits.
  double unit();
};

class SystemRandom final : public Random {
 public:
  SystemRandom();  // aborts if libsodium cannot be initialized
  void fill(std::span<std::byte> out) override;
};

}  // namespace sealpost
