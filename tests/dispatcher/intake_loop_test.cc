#include "dispatcher/intake_loop.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/limits.h"
#include "dispatcher/finisher.h"
#include "tests/dispatcher/sample_endpoints.h"
#include "tests/dispatcher/wait_for.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_sender.h"
#include "tests/support/fake_random.h"
#include "tests/support/memory_delivery_store.h"

namespace sealpost {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// The intake thread alone: the test is the network thread, which is not started.
class IntakeLoopTest : public testing::Test {
 protected:
  IntakeLoopTest() {
    begin();
    std::vector<std::int16_t> all_buckets(256);
    std::iota(all_buckets.begin(), all_buckets.end(), std::int16_t{0});
    membership_.own(all_buckets, {});
  }
  ~IntakeLoopTest() override { intake_.stop(); }

  void begin() { membership_.begin(epoch_, clock_.monotonic_now() + seconds(30)); }

  // Everything that is queued is sent, and each receiver asks for a pause.
  void send_all_and_pause() {
    for (const LeasedDelivery& delivery : inbox_.take().deliveries) {
      EndpointLoad& load = *endpoints_.find(delivery.endpoint_id)->load;
      load.paused_until = clock_.monotonic_now() + hours(1);
      --load.queued;
      inbox_.left(delivery);
    }
  }

  static constexpr Milliseconds kIdle{1};

  FakeClock clock_;
  MemoryDatabase database_{clock_};
  FakeNetwork http_{clock_};
  FakeRandom random_;
  StoreHealth health_{clock_};
  DispatcherMetrics metrics_;
  const Epoch epoch_ = database_.registry()->start("test", seconds(30)).epoch;
  Membership membership_;
  RetryTimes retry_times_;
  EndpointCache endpoints_{clock_};
  Inbox inbox_;
  SideRequests side_requests_;
  Finisher finisher_{{.store = database_.delivery_store(),
                      .endpoints = database_.endpoint_source(),
                      .retry_times = retry_times_,
                      .health = health_,
                      .metrics = metrics_,
                      .membership = membership_,
                      .clock = clock_,
                      .on_written = [] {}}};
  DeliveryLoop network_{{.sender = std::make_unique<FakeHttpSender>(http_),
                         .inbox = inbox_,
                         .endpoints = endpoints_,
                         .membership = membership_,
                         .finisher = finisher_,
                         .side_requests = side_requests_,
                         .metrics = metrics_,
                         .clock = clock_,
                         .random = random_},
                        100};
  IntakeLoop intake_{{.store = database_.delivery_store(),
                      .source = database_.endpoint_source(),
                      .endpoints = endpoints_,
                      .inbox = inbox_,
                      .network = network_,
                      .finisher = finisher_,
                      .retry_times = retry_times_,
                      .membership = membership_,
                      .health = health_,
                      .metrics = metrics_,
                      .clock = clock_},
                     {.busy = Milliseconds{1}, .idle = kIdle}};
};

// Their number is bounded by nothing else, and each is a parameter of every statement.
TEST_F(IntakeLoopTest, NamesABoundedNumberOfEndpointsThatTakeNone) {
  const int endpoints = static_cast<int>(kMaxClosedEndpoints) + 50;
  for (int i = 0; i < endpoints; ++i) {
    database_.add_endpoint(sample_endpoint("e" + std::to_string(i)));
  }
  database_.insert_event(sample_event("evt_1"));
  intake_.start();
  ASSERT_TRUE(wait_for([&] { return inbox_.queued() == endpoints; }));
  membership_.doubt();  // it waits, and would have asked for nothing before: there is enough to do
  send_all_and_pause();
  begin();
  EXPECT_TRUE(wait_for([&] { return database_.rooms_named() == kMaxClosedEndpoints; }))
      << database_.rooms_named();
}

// A statement that picks up costs nearly as much for one handover as for several.
TEST_F(IntakeLoopTest, WithEnoughToDoItPicksUpOnlySmallHandovers) {
  std::vector<Epoch> owners(256, epoch_);
  owners[0] = epoch_ + 1;
  membership_.own(*membership_.buckets(), owners);
  const auto hand_over = [this](int endpoint, int deliveries) {
    database_.hand_over(epoch_, EndpointId("e" + std::to_string(endpoint)), deliveries);
  };
  for (int i = 0; i < 6; ++i) {
    database_.add_endpoint(sample_endpoint("e" + std::to_string(i)));
    hand_over(i, 500);
  }
  intake_.start();
  ASSERT_TRUE(wait_for([&] { return inbox_.queued() == 3000; })) << "there was nothing to do";
  hand_over(0, kSmallHandover);
  ASSERT_TRUE(wait_for([&] { return inbox_.queued() == 3000 + kSmallHandover; }));
  hand_over(0, kSmallHandover + 1);
  const std::size_t before = database_.statements("intake");
  ASSERT_TRUE(wait_for([&] { return database_.statements("intake") > before + 5; }));
  EXPECT_EQ(inbox_.queued(), 3000 + kSmallHandover);
  for (const LeasedDelivery& delivery : inbox_.take().deliveries) {
    --endpoints_.find(delivery.endpoint_id)->load->queued;
    inbox_.left(delivery);
  }
  EXPECT_TRUE(wait_for([&] { return inbox_.queued() == kSmallHandover + 1; }));
}

// Most of what an idle process costs is waking up. How long polls take at least is certain on any
// machine; how long at most is not.
TEST_F(IntakeLoopTest, PollsHalfAsOftenAfterAQuietTime) {
  const auto statements = [this] { return database_.statements("intake"); };
  intake_.start();
  ASSERT_TRUE(wait_for([&] { return statements() > 0; }));
  const auto began = std::chrono::steady_clock::now();
  const std::size_t before = statements();
  ASSERT_TRUE(wait_for([&] { return statements() >= before + 100; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 99 * 2 * kIdle);
}

// As beside an open transaction that has inserted very many.
TEST_F(IntakeLoopTest, LooksThatAreSlowAndFindNothingAreFew) {
  const auto statements = [this] { return database_.statements("intake"); };
  database_.fail_with([this](const std::string& statement) -> std::optional<StorageError> {
    if (statement == "intake") clock_.advance(Milliseconds{100});
    return {};
  });
  database_.add_endpoint(sample_endpoint("e"));
  intake_.start();
  ASSERT_TRUE(wait_for([&] { return statements() == 2; }));
  database_.insert_event(sample_event("evt_1"));
  LoopThread pause;  // while only looks let time pass
  pause.sleep(50 * kIdle);
  EXPECT_EQ(statements(), 2u);
  clock_.advance(LookPace::kLongest);
  EXPECT_TRUE(wait_for([&] { return inbox_.queued() == 1; }));
}

}  // namespace
}  // namespace sealpost
