// Ids as distinct types, so that an endpoint's id cannot be passed where an event's is expected.
// An id is its text ("we_01J…"); nothing else is ever read out of it.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace sealpost {

template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const StrongId&, const StrongId&) = default;

 private:
  std::string text_;
};

}  // namespace sealpost

template <class Tag>
struct std::hash<sealpost::StrongId<Tag>> {
  size_t operator()(const sealpost::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.text());
  }
};
