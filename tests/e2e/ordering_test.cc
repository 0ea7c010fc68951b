// Delivery in order, with everything that could break it: a receiver that fails now and then, two
// dispatchers, and one of them killed.
#include <gtest/gtest.h>

#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;
constexpr int kKeys = 12;
constexpr int kPerKey = 25;
const Environment kWithShortLease{{"SEALPOST_LEASE_SECONDS", "5"}};

class OrderingE2eTest : public ::testing::Test {
 protected:
  OrderingE2eTest() {
    const auto process = installation_.start("admin-api");
    ApiClient api = installation_.api(*process);
    std::vector<Answer> answers;
    for (int i = 0; i < 200; ++i) answers.push_back({.status = i % 9 == 4 ? 503 : 200});
    for (const char* path : {"/a", "/b"}) {
      receiver_.on(path, answers);
      Json settings = quick_retry({0.05, 0.05, 0.05, 0.05});
      settings["ordering"] = "fifo";
      api.make("/v1/webhook-endpoints", endpoint_body(receiver_.url(path), settings));
    }
  }

  // One transaction per event, one after the other: commit order is the order of the numbers.
  void insert_all() {
    for (int number = 0; number < kPerKey; ++number) {
      for (int key = 0; key < kKeys; ++key) {
        const PgRows row = installation_.sql().query_once(
            "INSERT INTO sealpost.outbox (type, payload, ordering_key) "
            "VALUES ('order.changed', to_json($1::int), $2) RETURNING id",
            PgParameters().add(number).add("key-" + std::to_string(key)));
        events_[row.text(0, 0)] = {key, number};
      }
    }
  }

  // Requests that were accepted, in the order of their arrival; of each delivery the first.
  void expect_order() {
    std::map<std::pair<std::string, int>, int> next;  // path and key: number
    std::set<std::string> seen;
    const Ledger ledger = receiver_.ledger();
    for (const LedgerEntry& entry : ledger.entries()) {
      if (!entry.accepted() || !seen.insert(delivery_key(entry)).second) continue;
      const auto [key, number] = events_.at(entry.header("webhook-id"));
      int& expected = next[{entry.path, key}];
      EXPECT_EQ(expected, number) << entry.path << " key " << key;
      expected = number + 1;
    }
    EXPECT_EQ(2U * kKeys * kPerKey, seen.size());
  }

  Installation installation_;
  Receiver receiver_;
  std::map<std::string, std::pair<int, int>> events_;  // id: key, number
};

TEST_F(OrderingE2eTest, KeepsTheOrderOfEachKeyThroughFailuresAndAKill) {
  Environment first = kWithShortLease;
  first["SEALPOST_INSTANCE"] = "first";
  Environment second = kWithShortLease;
  second["SEALPOST_INSTANCE"] = "second";
  const auto killed = installation_.start("dispatcher", first);
  const auto survivor = installation_.start("dispatcher", second);
  insert_all();
  ASSERT_TRUE(receiver_.wait_until(
      [](const Ledger& ledger) { return ledger.distinct_accepted() >= kKeys * kPerKey / 2; },
      kPatience));
  killed->kill_hard();
  ASSERT_TRUE(receiver_.wait_until(
      [](const Ledger& ledger) { return ledger.distinct_accepted() >= 2 * kKeys * kPerKey; },
      kPatience))
      << survivor->errors();
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience));
  expect_order();
}

}  // namespace
}  // namespace sealpost
