// An endpoint's rate limit, counted by its receiver, while dispatchers come and go.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;
constexpr int kEndpoints = 8;  // half of them move when a second dispatcher comes
constexpr int kEvents = 240;
constexpr int kRate = 20;  // requests a second, for each endpoint
constexpr auto kWindow = 3s;

class RateLimitE2eTest : public ::testing::Test {
 protected:
  RateLimitE2eTest() {
    const auto process = installation_.start("admin-api");
    ApiClient api = installation_.api(*process);
    for (int i = 0; i < kEndpoints; ++i) {
      const std::string path = "/" + std::to_string(i);
      paths_.push_back(path);
      api.make("/v1/webhook-endpoints",
               endpoint_body(receiver_.url(path), {{"rate_limit_per_second", kRate}}));
    }
  }

  std::unique_ptr<SealpostProcess> start_dispatcher(const std::string& name) {
    return installation_.start("dispatcher", {{"SEALPOST_INSTANCE", name}});
  }

  [[nodiscard]] bool wait_for_requests(int per_endpoint) {
    return receiver_.wait_for_requests(static_cast<std::size_t>(per_endpoint * kEndpoints),
                                       kPatience);
  }

  // The most requests in any window.
  std::size_t most_in_window(const std::string& path) const {
    std::vector<MonotonicTime> times;
    const Ledger ledger = receiver_.ledger();
    for (const LedgerEntry& entry : ledger.entries()) {
      if (entry.path == path) times.push_back(entry.began_at);
    }
    std::ranges::sort(times);
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < times.size(); ++last) {
      while (times[last] - times[first] > kWindow) ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  }

  Installation installation_;
  Receiver receiver_;
  std::vector<std::string> paths_;
};

// The first dispatcher holds work for some seconds under its lease when the second one comes, and
// new events are divided among both while it does.
TEST_F(RateLimitE2eTest, HoldsWhileEndpointsMoveFromOneDispatcherToAnother) {
  installation_.insert({.count = kEvents * 2 / 3, .paths = paths_});
  const auto first = start_dispatcher("first");
  ASSERT_TRUE(wait_for_requests(40));
  const auto second = start_dispatcher("second");
  ASSERT_TRUE(second->wait_for_log("dispatcher.buckets", kPatience));
  ASSERT_TRUE(wait_for_requests(80));  // by then the first one knows
  installation_.insert({.count = kEvents / 3, .paths = paths_});
  ASSERT_TRUE(wait_for_requests(150));
  first->terminate();
  const auto exit = first->wait_exit(kPatience);
  ASSERT_TRUE(exit && exit->code == 0) << first->errors();
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << second->errors();
  const std::size_t allowed = kRate * kWindow.count() * 11 / 10;
  for (const std::string& path : paths_) {
    EXPECT_LE(most_in_window(path), allowed) << path;
    EXPECT_EQ(receiver_.ledger().requests_to(path), std::size_t{kEvents}) << path;
  }
  EXPECT_EQ(find_violations(installation_.committed(), receiver_.ledger(), installation_.stored()),
            Findings{});
}

}  // namespace
}  // namespace sealpost
