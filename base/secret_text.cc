#include "base/secret_text.h"

#include <sodium.h>

#include <utility>

namespace sealpost {
namespace {

// Wipes the whole buffer: a string that was moved from keeps its bytes where it is short enough to
// be stored inside the object. resize() to the capacity allocates nothing.
void wipe(std::string& bytes) noexcept {
  bytes.resize(bytes.capacity());
  sodium_memzero(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace

SecretText::SecretText(std::string bytes) : bytes_(std::move(bytes)) { wipe(bytes); }

SecretText::SecretText(const SecretText& other) = default;

SecretText::SecretText(SecretText&& other) noexcept : bytes_(std::move(other.bytes_)) {
  wipe(other.bytes_);
}

SecretText& SecretText::operator=(SecretText other) noexcept {
  bytes_.swap(other.bytes_);
  return *this;
}

SecretText::~SecretText() { wipe(bytes_); }

}  // namespace sealpost
