// A queue between two threads that moves whole batches: one lock for a thousand items.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace sealpost {

template <class Item>
class Handoff {
 public:
  void put(std::vector<Item> batch) {
    {
      const std::lock_guard lock(mutex_);
      if (items_.empty()) {
        items_ = std::move(batch);
      } else {
        for (auto& item : batch) items_.push_back(std::move(item));
      }
    }
    changed_.notify_all();
  }

  // Everything there is.
  std::vector<Item> take() {
    std::vector<Item> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(items_);
    }
    changed_.notify_all();
    return taken;
  }

  // Waits for at least `wanted` items, no longer than `patience`, and takes everything there is.
  std::vector<Item> take(std::size_t wanted, std::chrono::milliseconds patience) {
    std::vector<Item> taken;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return items_.size() >= wanted; });
    taken.swap(items_);
    return taken;
  }

  // Waits until fewer than `limit` items are left, no longer than `patience`; true if so.
  bool wait_below(std::size_t limit, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return items_.size() < limit; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> items_;
};

}  // namespace sealpost
