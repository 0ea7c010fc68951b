// A whole dispatcher on a memory database and a fake network, by a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "dispatcher/dispatcher.h"
#include "tests/dispatcher/sample_endpoints.h"
#include "tests/dispatcher/wait_for.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_sender.h"
#include "tests/support/fake_random.h"
#include "tests/support/memory_delivery_store.h"

namespace sealpost {

class DispatcherTest : public testing::Test {
 protected:
  static constexpr std::chrono::seconds kLease{30};

  DispatcherTest() { database_.add_endpoint(sample_endpoint("a")); }
  ~DispatcherTest() override {
    database_.fail_with(nullptr);
    dispatcher_.reset();
  }

  void start(int max_in_flight = 1000) {
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Dependencies{.delivery_store = [this] { return database_.delivery_store(); },
                                 .registry = [this] { return database_.registry(); },
                                 .endpoints = [this] { return database_.endpoint_source(); },
                                 .maintenance = [this] { return database_.maintenance(); },
                                 .validations = [this] { return database_.validations(); },
                                 .sender = std::make_unique<FakeHttpSender>(network_),
                                 .clock = clock_,
                                 .random = random_},
        DispatcherOptions{.instance = "test",
                          .lease = kLease,
                          .max_in_flight = max_in_flight,
                          .drain = std::chrono::seconds(30),
                          .retention = {},
                          .validation = validation_});
    dispatcher_->start();
  }

  void insert_events(int count) {
    for (int i = 0; i < count; ++i) {
      database_.insert_event(sample_event("evt_" + std::to_string(++inserted_)));
    }
  }

  void answer_all_with(int status_code) {
    network_.script([status_code](const HttpRequest&) { return answered(status_code); });
  }

  // Lets time pass in small steps, so that no lease runs out, until the condition holds.
  [[nodiscard]] bool pass_time_until(const std::function<bool()>& condition) {
    return wait_for([&] {
      if (condition()) return true;
      clock_.advance(Milliseconds{50});
      return false;
    });
  }

  [[nodiscard]] bool wait_for_state(DeliveryState state, std::size_t count) {
    return wait_for([=, this] { return database_.count(state) == count; });
  }

  FakeClock clock_;
  FakeRandom random_;
  ValidationOptions validation_{.origin = "sender.example"};
  MemoryDatabase database_{clock_};
  FakeNetwork network_{clock_};
  std::unique_ptr<Dispatcher> dispatcher_;
  int inserted_ = 0;
};

}  // namespace sealpost
