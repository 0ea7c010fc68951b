#include "dispatcher/store_health.h"

#include "base/log.h"

namespace sealpost {
namespace {

// The intake thread asks every few milliseconds; a database that hangs without an error shows by
// silence.
constexpr std::chrono::seconds kSilence{10};

}  // namespace

void StoreHealth::reached(std::string_view who) {
  const std::lock_guard lock(mutex_);
  reached_at_ = clock_.monotonic_now();
  if (failing_.erase(who) == 0 || !failing_.empty()) return;
  const auto lasted = std::chrono::duration_cast<Milliseconds>(reached_at_ - outage_began_);
  log_info("store.reachable", {{"outage_ms", static_cast<std::int64_t>(lasted.count())}});
}

void StoreHealth::failed(std::string_view who, const StorageError& error) {
  errors_.add();
  if (error.kind() == StorageError::Kind::conflict) return;
  const bool permanent = error.kind() == StorageError::Kind::permanent;
  const std::lock_guard lock(mutex_);
  const bool outage_begins = failing_.empty();
  const bool is_new = failing_.emplace(who, error.what()).second;
  if (outage_begins) outage_began_ = clock_.monotonic_now();
  // When the database is gone everybody fails the same way; what is permanent has a cause of its
  // own.
  if (!outage_begins && !(is_new && permanent)) return;
  log(permanent ? LogLevel::error : LogLevel::warn, "store.unreachable",
      {{"during", who}, {"error", error.what()}, {"permanent", permanent}});
}

std::optional<std::string> StoreHealth::outage() const {
  const std::lock_guard lock(mutex_);
  if (!failing_.empty()) return failing_.begin()->second;
  if (clock_.monotonic_now() - reached_at_ > kSilence) return "it has been silent for 10 s";
  return std::nullopt;
}

}  // namespace sealpost
