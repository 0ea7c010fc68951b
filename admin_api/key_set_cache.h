// The public keys of all endpoints as they are served, kept for a moment: whoever reaches the
// address may ask for them without a token, and however often that happens the database is asked
// once per kMaxKeySetAge.
//
// A change that this process makes shows at once; one that another process makes, after
// kMaxKeySetAge, a sixtieth of what the answer allows verifiers to keep it.
//
// Threads: safe from any. While one asks the database, others wait for its answer.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace sealpost {

class KeySetCache {
 public:
  explicit KeySetCache(const Clock& clock) : clock_(clock) {}

  // The set, by `load` if it is not kept or too old. Throws what `load` throws, and keeps nothing
  // then.
  std::string get(const std::function<std::string()>& load);

  // Endpoints may have been changed.
  void drop();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<std::string> set_;
  MonotonicTime loaded_at_{};
};

}  // namespace sealpost
