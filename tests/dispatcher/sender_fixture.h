// A CurlHttpSender that may call 127.0.0.0/8 by plain HTTP, and a way to wait for one request.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/curl_http_sender.h"

namespace sealpost {

inline AddressPolicy loopback_allowed() { return AddressPolicy({*IpRange::parse("127.0.0.0/8")}); }

class SenderTest : public testing::Test {
 protected:
  static CurlSenderOptions local_options() {
    return {.address_policy = loopback_allowed(),
            .allow_http = AllowHttp::yes,
            .max_connections = 16,
            .connection_lifetime = kConnectionLifetime,
            .proxy = {},
            .ca_file = {}};
  }

  static HttpRequest request_to(std::string url) {
    return {.url = std::move(url),
            .headers = {{"Content-Type", "application/json"}, {"webhook-id", "evt_1"}},
            .body = R"({"a": 1})",
            .timeout = Milliseconds{10'000}};
  }

  void use(CurlSenderOptions options) {
    sender_ = std::make_unique<CurlHttpSender>(std::move(options), clock_);
  }

  // Polls until `count` requests ended.
  std::vector<FinishedRequest> wait_for(std::size_t count) {
    std::vector<FinishedRequest> finished;
    const MonotonicTime give_up = clock_.monotonic_now() + std::chrono::seconds(30);
    while (finished.size() < count && clock_.monotonic_now() < give_up) {
      sender_->poll(Milliseconds{100}, finished);
    }
    EXPECT_EQ(finished.size(), count);
    return finished;
  }

  AttemptOutcome send(HttpRequest request) {
    sender_->start(7, std::move(request));
    std::vector<FinishedRequest> finished = wait_for(1);
    if (finished.empty()) return {};
    EXPECT_EQ(finished[0].tag, 7u);
    EXPECT_EQ(sender_->in_flight(), 0);
    EXPECT_NE(finished[0].outcome.status_code.has_value(), finished[0].outcome.error.has_value());
    return finished[0].outcome;
  }
  AttemptOutcome send(const std::string& url) { return send(request_to(url)); }

  SystemClock clock_;
  std::unique_ptr<CurlHttpSender> sender_ =
      std::make_unique<CurlHttpSender>(local_options(), clock_);
};

}  // namespace sealpost
