// What this process is among the dispatchers of a database at this moment: its epoch, until when
// its lease can be trusted, and which buckets are its own. The heartbeat writes it, all other
// threads read it.
//
// The lease runs by the database's clock. We trust it by our monotonic clock, counted from before
// the request for renewal was sent, minus a margin: so we stop starting requests before anybody
// else may take our deliveries over, even if every answer of the database is lost.
//
// Threads: safe from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/ids.h"

namespace sealpost {

class Membership {
 public:
  using Buckets = std::shared_ptr<const std::vector<std::int16_t>>;
  using Owners = std::shared_ptr<const std::vector<Epoch>>;

  // A new epoch began.
  void begin(Epoch epoch, MonotonicTime trusted_until) {
    trusted_until_ = trusted_until;
    epoch_ = epoch;
    in_doubt_ = false;
  }
  void renewed(MonotonicTime trusted_until) { trusted_until_ = trusted_until; }

  // From when on nobody else works for the endpoints in our buckets: a newcomer's have been those
  // of others, who need a moment to notice it. What must not be done twice at once (a rate limit)
  // waits until then.
  void settle_at(MonotonicTime time) { settled_at_ = time; }
  MonotonicTime settled_at() const { return settled_at_; }

  // The epoch was ended by another dispatcher: what we hold is not ours any more.
  void lose() {
    epoch_ = kNone;
    own({}, {});
  }

  // A statement that leases deliveries may or may not have happened, so our epoch may hold some of
  // which we do not know. Until the heartbeat has begun a new epoch nothing is leased or started
  // any more.
  void doubt() { in_doubt_ = true; }
  bool in_doubt() const { return in_doubt_; }

  // 0: none. Everything leased carries the epoch of its lease, so a reader compares.
  Epoch epoch() const { return epoch_; }
  bool covers(MonotonicTime time) const {
    return epoch_ != kNone && !in_doubt_ && time < trusted_until_.load();
  }

  // `owners`: of every bucket; empty if there is no other dispatcher.
  void own(std::vector<std::int16_t> buckets, std::vector<Epoch> owners) {
    dispatchers_ =
        std::max(1, static_cast<int>(std::set<Epoch>(owners.begin(), owners.end()).size()));
    auto shared = std::make_shared<const std::vector<std::int16_t>>(std::move(buckets));
    auto shared_owners = std::make_shared<const std::vector<Epoch>>(std::move(owners));
    const std::lock_guard lock(mutex_);
    buckets_ = std::move(shared);
    owners_ = std::move(shared_owners);
  }
  // How many share the work, ourselves included; those without a bucket left out.
  int dispatchers() const { return dispatchers_; }
  // So many dispatchers run on our host, ourselves included.
  void share_host(int dispatchers) { on_our_host_ = std::max(1, dispatchers); }
  int on_our_host() const { return on_our_host_; }
  Buckets buckets() const {
    const std::lock_guard lock(mutex_);
    return buckets_;
  }
  Owners owners() const {
    const std::lock_guard lock(mutex_);
    return owners_;
  }

 private:
  static constexpr Epoch kNone = 0;
  std::atomic<Epoch> epoch_{kNone};
  std::atomic<bool> in_doubt_{false};
  std::atomic<MonotonicTime> trusted_until_{MonotonicTime{}};
  std::atomic<MonotonicTime> settled_at_{MonotonicTime{}};
  std::atomic<int> dispatchers_{1};
  std::atomic<int> on_our_host_{1};
  mutable std::mutex mutex_;
  Buckets buckets_ = std::make_shared<const std::vector<std::int16_t>>();
  Owners owners_ = std::make_shared<const std::vector<Epoch>>();
};

}  // namespace sealpost
