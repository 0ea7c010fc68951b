#include "admin_api/key_set_cache.h"

#include "core/limits.h"

namespace sealpost {

std::string KeySetCache::get(const std::function<std::string()>& load) {
  const std::lock_guard lock(mutex_);
  const MonotonicTime now = clock_.monotonic_now();
  if (!set_ || now - loaded_at_ >= kMaxKeySetAge) {
    set_.reset();
    set_ = load();
    loaded_at_ = now;
  }
  return *set_;
}

void KeySetCache::drop() {
  const std::lock_guard lock(mutex_);
  set_.reset();
}

}  // namespace sealpost
