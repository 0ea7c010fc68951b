#include "dispatcher/heartbeat.h"

#include "base/log.h"
#include "dispatcher/bucket_owner.h"

namespace sealpost {
namespace {

constexpr Milliseconds kTurn{50};  // how exactly the intervals below are kept
constexpr int kRenewalsPerLease = 6;
constexpr int kMarginShare = 10;                  // of the lease
constexpr std::chrono::seconds kLookInterval{1};  // for dispatchers that came or went
// Until all others have looked, and given back what they hold of our buckets.
constexpr std::chrono::seconds kSettle{2};

}  // namespace

void Heartbeat::run() {
  while (!thread_.stopping()) {
    thread_.turned(parts_.clock.monotonic_now());
    try {
      beat();
      backoff_.reset();
      thread_.sleep(kTurn);
    } catch (const StorageError& error) {
      parts_.health.failed("heartbeat", error);
      thread_.sleep(backoff_.after(error));
    }
  }
}

void Heartbeat::beat() {
  const MonotonicTime now = parts_.clock.monotonic_now();
  const bool lost = parts_.membership.epoch() == 0;
  const bool doubtful = parts_.membership.in_doubt() && parts_.nothing_underway();
  if (lost || doubtful) {
    begin();
  } else if (!next_renewal_ || now >= *next_renewal_) {
    renew();
  }
  if (!next_look_ || now >= *next_look_) look_around();
}

void Heartbeat::begin() {
  const MonotonicTime asked_at = parts_.clock.monotonic_now();
  const Registration registration = parts_.registry->start(instance_, lease_);
  parts_.membership.begin(registration.epoch, asked_at + lease_ - lease_ / kMarginShare);
  parts_.membership.settle_at(asked_at + kSettle);
  next_renewal_ = asked_at + Milliseconds(lease_) / kRenewalsPerLease;
  log_info("dispatcher.registered", {{"instance", instance_},
                                     {"epoch", static_cast<std::int64_t>(registration.epoch)},
                                     {"freed", registration.freed}});
  look_around();
}

void Heartbeat::renew() {
  const MonotonicTime asked_at = parts_.clock.monotonic_now();
  const Epoch epoch = parts_.membership.epoch();
  if (parts_.registry->renew(epoch, lease_)) {
    parts_.membership.renewed(asked_at + Milliseconds(lease_) -
                              Milliseconds(lease_) / kMarginShare);
    next_renewal_ = asked_at + Milliseconds(lease_) / kRenewalsPerLease;
    return;
  }
  log_warn("dispatcher.lease_lost",
           {{"instance", instance_}, {"epoch", static_cast<std::int64_t>(epoch)}});
  parts_.metrics.leases_lost.add();
  parts_.membership.lose();
  begin();
}

void Heartbeat::look_around() {
  const LiveDispatchers dispatchers = parts_.registry->live();
  const std::vector<Epoch>& live = dispatchers.epochs;
  parts_.membership.share_host(dispatchers.on_our_host);
  next_look_ = parts_.clock.monotonic_now() + kLookInterval;
  parts_.health.reached("heartbeat");
  if (live.size() <= 1) parts_.membership.settle_at(MonotonicTime{});  // there is nobody else
  std::vector<std::int16_t> buckets = owned_buckets(parts_.membership.epoch(), live);
  std::vector<Epoch> owners;
  if (live.size() > 1) owners = bucket_owners(live);
  const bool same_buckets = buckets == *parts_.membership.buckets();
  if (same_buckets && owners == *parts_.membership.owners()) return;
  parts_.membership.own(buckets, std::move(owners));
  if (same_buckets) return;
  log_info("dispatcher.buckets", {{"owned", static_cast<std::int64_t>(buckets.size())},
                                  {"dispatchers", static_cast<std::int64_t>(live.size())}});
}

bool Heartbeat::stop() {
  constexpr int kTries = 5;
  thread_.stop();
  const Epoch epoch = parts_.membership.epoch();
  parts_.membership.lose();
  if (epoch == 0) return true;
  backoff_.reset();  // five tries within 1.5 s, however long the store has been away
  for (int i = 0; i < kTries; ++i) {
    try {
      parts_.registry->stop(epoch);
      return true;
    } catch (const StorageError& error) {
      parts_.health.failed("heartbeat", error);
      thread_.sleep(backoff_.after(error));
    }
  }
  return false;
}

}  // namespace sealpost
