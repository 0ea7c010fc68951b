#include "dispatcher/circuit.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const MonotonicTime kNow{std::chrono::hours(1000)};
constexpr milliseconds kRequest{1};

class CircuitTest : public testing::Test {
 protected:
  std::optional<Milliseconds> fail(MonotonicTime ended) {
    return circuit_.failed(ended - kRequest, ended);
  }
  void open() {
    for (int i = 0; i < 19; ++i) fail(kNow);
    ASSERT_EQ(fail(kNow + seconds(5)), seconds(1));
  }
  Circuit circuit_;
};

TEST_F(CircuitTest, OpensAfterTwentyFailuresInFiveSeconds) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(fail(kNow + milliseconds(4999)));
  EXPECT_FALSE(fail(kNow + milliseconds(9998)));
  EXPECT_EQ(fail(kNow + milliseconds(9999)), seconds(1));
  EXPECT_FALSE(circuit_.is_closed());
}

TEST_F(CircuitTest, FewFailuresDoNotOpenItHoweverLongTheyTake) {
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(fail(kNow + seconds(60 * i)));
  EXPECT_TRUE(fail(kNow + seconds(60 * 19)));
}

TEST_F(CircuitTest, AnAnswerBeginsTheCountAnew) {
  for (int i = 0; i < 19; ++i) fail(kNow);
  EXPECT_FALSE(circuit_.answered(kNow));
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(fail(kNow + seconds(6 + i)));
}

TEST_F(CircuitTest, DoublesThePauseUpToHalfAMinute) {
  open();
  MonotonicTime now = kNow + seconds(5);
  for (const int expected : {2, 4, 8, 16, 30, 30}) {
    now += seconds(40);
    EXPECT_EQ(fail(now), seconds(expected));
  }
}

TEST_F(CircuitTest, RequestsFromBeforeItOpenedChangeNothing) {
  open();
  const MonotonicTime opened = kNow + seconds(5);
  EXPECT_FALSE(circuit_.failed(opened - seconds(1), opened + seconds(9)));
  EXPECT_FALSE(circuit_.answered(opened - seconds(1)));
  EXPECT_FALSE(circuit_.is_closed());
}

TEST_F(CircuitTest, AProbeThatIsAnsweredClosesIt) {
  open();
  EXPECT_TRUE(circuit_.answered(kNow + seconds(7)));
  EXPECT_TRUE(circuit_.is_closed());
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(fail(kNow + seconds(20)));
  EXPECT_EQ(fail(kNow + seconds(25)), seconds(1)) << "the pause is short again";
}

}  // namespace
}  // namespace sealpost
