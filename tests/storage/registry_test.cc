#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RegistryTest : public StorageTest {
 protected:
  RegistryTest() { add_endpoint("acme", {"*"}); }
  void lease_one(Epoch epoch) {
    insert_event("acme", "a");
    ASSERT_EQ(take_in(epoch).size(), 1u);
  }
  void let_expire(Epoch epoch) {
    run("UPDATE sealpost.dispatchers SET expires_at = now() - interval '1 s' WHERE epoch = " +
        std::to_string(epoch));
  }
};

TEST_F(RegistryTest, ARestartedInstanceTakesItsLeasesOverAtOnce) {
  const Epoch old = start_dispatcher("one");
  lease_one(old);
  const Registration again = registry_.start("one", std::chrono::seconds(30));
  EXPECT_GT(again.epoch, old);
  EXPECT_EQ(again.freed, 1);
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL"), 1);
  EXPECT_THAT(registry_.live().epochs, ElementsAre(again.epoch));
}

TEST_F(RegistryTest, ADeadDispatcherIsTakenOverOnce) {
  const Epoch dead = start_dispatcher("dead");
  const Epoch alive = start_dispatcher("alive");
  lease_one(dead);
  EXPECT_EQ(registry_.take_over_dead(), 0);
  let_expire(dead);
  EXPECT_THAT(registry_.live().epochs, ElementsAre(alive));
  EXPECT_EQ(registry_.take_over_dead(), 1);
  EXPECT_EQ(registry_.take_over_dead(), 0);
  EXPECT_FALSE(registry_.renew(dead, std::chrono::seconds(30)));
  EXPECT_TRUE(registry_.renew(alive, std::chrono::seconds(30)));
}

TEST_F(RegistryTest, ALateRenewalBeforeTheTakeoverKeepsTheEpoch) {
  const Epoch late = start_dispatcher("late");
  let_expire(late);
  EXPECT_TRUE(registry_.renew(late, std::chrono::seconds(30)));
  EXPECT_EQ(registry_.take_over_dead(), 0);
  EXPECT_THAT(registry_.live().epochs, ElementsAre(late));
}

TEST_F(RegistryTest, StopFreesWhatIsStillLeased) {
  const Epoch epoch = start_dispatcher("one");
  lease_one(epoch);
  registry_.stop(epoch);
  EXPECT_THAT(registry_.live().epochs, IsEmpty());
  EXPECT_EQ(count("sealpost.deliveries WHERE lease_epoch IS NULL"), 1);
}

TEST_F(RegistryTest, StartFreesRowsOfEpochsThatNobodyKnows) {
  const Epoch epoch = start_dispatcher("one");
  lease_one(epoch);
  run("DELETE FROM sealpost.dispatchers");
  EXPECT_EQ(registry_.start("two", std::chrono::seconds(30)).freed, 1);
}

TEST_F(RegistryTest, TellsHowManyLiveOnOneHost) {
  start_dispatcher("one");
  EXPECT_EQ(registry_.live().on_our_host, 1);
  start_dispatcher("two");
  PgDispatcherRegistry elsewhere(options_, "another");
  elsewhere.start("three", std::chrono::seconds(30));
  EXPECT_EQ(registry_.live().on_our_host, 2);
  EXPECT_EQ(elsewhere.live().on_our_host, 1);
  let_expire(start_dispatcher("two"));
  EXPECT_EQ(registry_.live().on_our_host, 1);
}

}  // namespace
}  // namespace sealpost
