#include "dispatcher/socket_watch.h"

#include <gmock/gmock.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace sealpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class SocketWatchTest : public testing::Test {
 protected:
  SocketWatchTest() { open_pair(); }
  ~SocketWatchTest() override {
    close(ours_);
    close(theirs_);
  }

  void open_pair() {
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    ours_ = pair[0];
    theirs_ = pair[1];
  }

  std::vector<SocketWatch::Ready> wait() {
    std::vector<SocketWatch::Ready> ready;
    watch_.wait(Milliseconds{0}, ready);
    return ready;
  }

  SocketWatch watch_;
  int ours_ = -1;
  int theirs_ = -1;
};

TEST_F(SocketWatchTest, ReportsWhatIsWanted) {
  watch_.opened(ours_);
  watch_.want(ours_, EPOLLIN);
  EXPECT_THAT(wait(), IsEmpty());
  ASSERT_EQ(write(theirs_, "x", 1), 1);
  const auto ready = wait();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].fd, ours_);
}

TEST_F(SocketWatchTest, AnUnwantedSocketIsSilentAndCanBeWantedAgain) {
  watch_.opened(ours_);
  watch_.want(ours_, EPOLLIN);
  watch_.want(ours_, 0);
  ASSERT_EQ(write(theirs_, "x", 1), 1);
  EXPECT_THAT(wait(), IsEmpty());
  EXPECT_THAT(wait(), IsEmpty());
  watch_.want(ours_, EPOLLIN);
  EXPECT_THAT(wait(), SizeIs(1));
}

TEST_F(SocketWatchTest, ASocketThatNobodyAnnouncedIsTakenOutAtOnce) {
  watch_.want(ours_, EPOLLIN);
  watch_.want(ours_, 0);
  close(ours_);
  close(theirs_);
  open_pair();  // the same number again
  watch_.want(ours_, EPOLLIN);
  ASSERT_EQ(write(theirs_, "x", 1), 1);
  EXPECT_THAT(wait(), SizeIs(1));
}

TEST_F(SocketWatchTest, ANumberThatIsUsedAgainIsWatchedAfresh) {
  watch_.opened(ours_);
  watch_.want(ours_, EPOLLIN);
  watch_.closing(ours_);
  const int before = ours_;
  close(ours_);
  close(theirs_);
  open_pair();
  ASSERT_EQ(ours_, before);
  watch_.opened(ours_);
  watch_.want(ours_, EPOLLIN);
  ASSERT_EQ(write(theirs_, "x", 1), 1);
  EXPECT_THAT(wait(), SizeIs(1));
}

}  // namespace
}  // namespace sealpost
