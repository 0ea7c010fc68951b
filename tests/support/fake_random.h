// Randomness that repeats: the same seed gives the same bytes, on every machine. Safe from any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>
#include <span>

#include "base/random.h"

namespace sealpost {

class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_(seed) {}

  void fill(std::span<std::byte> out) override {
    const std::lock_guard lock(mutex_);
    // Random::unit() asks for exactly eight bytes; ids and keys ask for other lengths and stay
    // distinct.
    if (fixed_unit_ && out.size() == sizeof(std::uint64_t)) {
      const std::uint64_t bits = static_cast<std::uint64_t>(*fixed_unit_ * 0x1p53) << 11;
      std::memcpy(out.data(), &bits, sizeof(bits));
      return;
    }
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_() >> 56);
  }

  // From now on unit() returns `value`, in [0, 1); nullopt goes back to the seed's sequence.
  void fix_unit(std::optional<double> value) {
    const std::lock_guard lock(mutex_);
    fixed_unit_ = value;
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
  std::optional<double> fixed_unit_;
};

}  // namespace sealpost
