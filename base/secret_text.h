// A secret: signing secret, master key, bearer token, header value. The type has no formatter and
// no stream operator, so that it cannot be logged by accident; its bytes are wiped when it dies.
// Whoever needs the bytes says so with reveal(), which is easy to find in a review.
#pragma once

#include <string>
#include <string_view>

namespace sealpost {

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string bytes);
  SecretText(const SecretText& other);
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText other) noexcept;
  ~SecretText();

  // The bytes themselves; valid as long as this object.
  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

}  // namespace sealpost
