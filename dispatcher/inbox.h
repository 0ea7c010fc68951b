// What other threads hand to the network thread: leased deliveries, and the news that an endpoint
// changed. One lock and one wake-up per batch. Also counts what is queued, on either side of the
// hand-over.
//
// Threads: safe from any thread; take() and left() are the network thread's.
#pragma once

#include <atomic>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "core/delivery.h"

namespace sealpost {

class Inbox {
 public:
  struct Contents {
    std::vector<LeasedDelivery> deliveries;  // their endpoints are in the cache
    std::vector<LeasedDelivery> unwanted;    // likewise; to be given back
    std::vector<EndpointId> changed;         // endpoints whose newest version is in the cache

    bool empty() const { return deliveries.empty() && unwanted.empty() && changed.empty(); }
  };

  void put(Contents more) {
    for (const auto* deliveries : {&more.deliveries, &more.unwanted}) {
      for (const LeasedDelivery& delivery : *deliveries) bytes_ += delivery.event->payload.size();
      queued_ += static_cast<int>(deliveries->size());
    }
    const std::lock_guard lock(mutex_);
    append(contents_.deliveries, std::move(more.deliveries));
    append(contents_.unwanted, std::move(more.unwanted));
    append(contents_.changed, std::move(more.changed));
  }

  Contents take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(contents_, {});
  }

  // A delivery was started or given back.
  void left(const LeasedDelivery& delivery) {
    --queued_;
    bytes_ -= delivery.event->payload.size();
  }

  // Handed over and not started. Payloads shared by several deliveries count for each of them: the
  // sum may be too high, never too low.
  int queued() const { return queued_; }
  std::size_t queued_bytes() const { return bytes_; }

 private:
  template <class Item>
  static void append(std::vector<Item>& to, std::vector<Item> from) {
    if (to.empty()) {
      to = std::move(from);
    } else {
      to.insert(to.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    }
  }

  std::atomic<int> queued_{0};
  std::atomic<std::size_t> bytes_{0};
  std::mutex mutex_;
  Contents contents_;
};

}  // namespace sealpost
