// The checker must be able to fail: each test breaks one thing in a run that is otherwise in order.
#include "tests/e2e/invariants.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

constexpr std::chrono::seconds kBegin{1'800'000'000};

class InvariantsTest : public ::testing::Test {
 protected:
  InvariantsTest() {
    for (const std::string id : {"evt_1", "evt_2"}) {
      committed_.payloads[id] = "{\"of\":\"" + id + "\"}";
      committed_.deliveries.insert({id, "/a"});
      stored_.finals.push_back(
          {{id, "/a"}, "delivered", WallTime(kBegin + std::chrono::seconds{2})});
      stored_.attempts[{id, "/a"}] = 1;
    }
  }

  // A request as it should be; `change` makes it otherwise.
  void receive(const std::string& id, const std::function<void(LedgerEntry&)>& change = {}) {
    LedgerEntry entry;
    entry.path = "/a";
    entry.arrived_at = WallTime(kBegin + std::chrono::seconds{1});
    entry.headers = {{"webhook-id", id}, {"idempotency-key", "wh_" + id + "-retry-1"}};
    entry.body = "{\"type\":\"t\",\"data\":{\"of\":\"" + id + "\"}}";
    if (change) change(entry);
    ledger_.answered(ledger_.add(entry), 200, true, {});
  }

  Findings findings() const { return find_violations(committed_, ledger_, stored_); }

  Committed committed_;
  Ledger ledger_;
  Stored stored_;
};

TEST_F(InvariantsTest, FindsNothingInAGoodRun) {
  receive("evt_1");
  receive("evt_2");
  EXPECT_EQ(Findings{}, findings());
}

TEST_F(InvariantsTest, FindsALostDelivery) {
  receive("evt_1");
  EXPECT_EQ((Findings{.lost = 1, .contradicted = 1}), findings());
}

TEST_F(InvariantsTest, CountsADeadLetterAsAccountedFor) {
  receive("evt_1");
  stored_.finals[1].state = "failed";
  EXPECT_EQ(Findings{}, findings());
}

TEST_F(InvariantsTest, FindsADuplicateAndItsMissingRecord) {
  receive("evt_1");
  receive("evt_1");
  receive("evt_2");
  EXPECT_EQ((Findings{.duplicated = 1, .unrecorded = 1}), findings());
}

TEST_F(InvariantsTest, FindsEveryKindOfPhantom) {
  receive("evt_1");
  receive("evt_2");
  receive("evt_3");                                                    // never committed
  receive("evt_1", [](LedgerEntry& entry) { entry.path = "/b"; });     // not for /b
  receive("evt_1", [](LedgerEntry& entry) { entry.body[20] = 'x'; });  // another body
  receive("evt_1",
          [](LedgerEntry& entry) { entry.headers["idempotency-key"] = "wh_evt_1-retry-2"; });
  EXPECT_EQ((Findings{.unexpected = 4}), findings());
}

TEST_F(InvariantsTest, FindsARequestAfterTheEnd) {
  receive("evt_1");
  receive("evt_2", [](LedgerEntry& entry) { entry.arrived_at += std::chrono::seconds{5}; });
  EXPECT_EQ((Findings{.after_end = 1}), findings());
}

TEST_F(InvariantsTest, FindsTwoEnds) {
  receive("evt_1");
  receive("evt_2");
  stored_.finals.push_back(stored_.finals[0]);
  EXPECT_EQ((Findings{.contradicted = 1}), findings());
}

TEST_F(InvariantsTest, FindsWhatIsLeftOver) {
  receive("evt_1");
  receive("evt_2");
  stored_.unfinished = 2;
  stored_.leased = 1;
  EXPECT_EQ((Findings{.unfinished = 2, .leased = 1}), findings());
}

}  // namespace
}  // namespace sealpost
