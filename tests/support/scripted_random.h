// Randomness as a published test vector has it: the given bytes, one after the other. Asking for
// more than there are stops the process.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/random.h"

namespace sealpost {

class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::string bytes) : bytes_(std::move(bytes)) {}

  void fill(std::span<std::byte> out) override {
    CHECK(bytes_.size() - used_ >= out.size(), "the script has no random bytes left");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(),
                reinterpret_cast<char*>(out.data()));
    used_ += out.size();
  }
  bool used_up() const { return used_ == bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t used_ = 0;
};

// The bytes first, first + 1, …, last.
inline std::string byte_range(int first, int last) {
  std::string bytes;
  for (int value = first; value <= last; ++value) bytes.push_back(static_cast<char>(value));
  return bytes;
}

}  // namespace sealpost
