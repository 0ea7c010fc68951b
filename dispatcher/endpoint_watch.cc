#include "dispatcher/endpoint_watch.h"

#include "base/log.h"

namespace sealpost {
namespace {

constexpr Milliseconds kTurn{50};  // how exactly the interval is kept
constexpr std::chrono::seconds kInterval{1};
// Changes are looked for this much further back than our last look: transactions that were open
// then, and clocks that differ a little.
constexpr std::chrono::seconds kOverlap{10};

static_assert(3 * kInterval < kEndpointsTrusted, "one slow look must not stop the sending");

}  // namespace

void EndpointWatch::run() {
  while (!thread_.stopping()) {
    const MonotonicTime now = parts_.clock.monotonic_now();
    thread_.turned(now);
    try {
      if (!looked_at_ || now >= *looked_at_ + kInterval) look();
      backoff_.reset();
      thread_.sleep(kTurn);
    } catch (const StorageError& error) {
      parts_.health.failed("endpoints", error);
      thread_.sleep(backoff_.after(error));
    }
  }
}

void EndpointWatch::look() {
  const MonotonicTime began = parts_.clock.monotonic_now();
  const auto since_last = looked_at_ ? began - *looked_at_ : MonotonicTime::duration::zero();
  const auto window = std::chrono::ceil<std::chrono::seconds>(since_last) + kOverlap;
  const auto versions = parts_.source->changed_within(window);
  Inbox::Contents news;
  for (const ReadyEndpointPtr& changed : parts_.endpoints.refresh(versions, *parts_.source)) {
    news.changed.push_back(changed->endpoint().id);
  }
  looked_at_ = began;
  parts_.health.reached("endpoints");
  if (!news.changed.empty()) parts_.inbox.put(std::move(news));
  parts_.endpoints.is_current_as_of(began);
  parts_.network.wake();
}

}  // namespace sealpost
