#include "core/retry_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

AttemptOutcome answered(int status_code, std::optional<Milliseconds> retry_after = {}) {
  AttemptOutcome outcome;
  outcome.status_code = status_code;
  outcome.retry_after = retry_after;
  return outcome;
}

AttemptOutcome broke_off(AttemptError error) {
  AttemptOutcome outcome;
  outcome.error = error;
  return outcome;
}

std::optional<Milliseconds> delay_of(const Decision& decision) {
  const auto* again = std::get_if<RetryAfter>(&decision.next);
  return again ? std::optional(again->delay) : std::nullopt;
}

std::optional<FailureReason> reason_of(const Decision& decision) {
  const auto* end = std::get_if<GiveUp>(&decision.next);
  return end ? std::optional(end->reason) : std::nullopt;
}

bool is_delivered(const Decision& decision) {
  return std::holds_alternative<Delivered>(decision.next);
}

// The delays after attempts 1, 2, … while every answer is 500, without jitter.
std::vector<std::chrono::seconds> schedule(std::string_view preset) {
  std::vector<std::chrono::seconds> delays;
  const RetryPolicy policy = retry_preset(preset).value();
  for (int attempt = 1; attempt < 100; ++attempt) {
    const Decision decision = decide(policy, answered(500), attempt, 0);
    if (reason_of(decision) == FailureReason::attempts_exhausted) return delays;
    delays.push_back(std::chrono::duration_cast<std::chrono::seconds>(delay_of(decision).value()));
  }
  return {};
}

const RetryPolicy kStandard = retry_preset("standard").value();
const RetryPolicy kItpay = retry_preset("itpay").value();

TEST(RetryPolicyTest, PresetsAreListedAndFoundByName) {
  EXPECT_THAT(retry_preset_names(),
              ElementsAre("standard", "itpay", "itpay-short", "pandora", "engenius"));
  for (const std::string_view name : retry_preset_names()) {
    EXPECT_EQ(retry_preset(name).value().preset, name);
  }
  EXPECT_FALSE(retry_preset("Standard"));
  EXPECT_FALSE(retry_preset(""));
}

TEST(RetryPolicyTest, SchedulesAreThoseOfTheirDocuments) {
  EXPECT_THAT(schedule("standard"), ElementsAre(5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h));
  EXPECT_THAT(schedule("itpay"), ElementsAre(10s, 1min, 5min, 15min, 1h, 4h, 12h, 24h, 72h));
  EXPECT_THAT(schedule("itpay-short"), ElementsAre(10s, 1min, 5min, 15min, 1h));
  EXPECT_THAT(schedule("pandora"), ElementsAre(30s, 2min, 10min, 1h));
  EXPECT_THAT(schedule("engenius"), ElementsAre(30s, 1min, 5min));
}

TEST(RetryPolicyTest, OnlyTheStandardScheduleHasJitter) {
  for (const std::string_view name : retry_preset_names()) {
    EXPECT_EQ(retry_preset(name)->jitter, name == "standard" ? 0.2 : 0) << name;
  }
}

TEST(RetryPolicyTest, Every2xxIsDeliveredAndNothingElse) {
  for (int status_code = 100; status_code <= 599; ++status_code) {
    const bool success = status_code >= 200 && status_code <= 299;
    EXPECT_EQ(is_delivered(decide(kStandard, answered(status_code), 1, 0)), success) << status_code;
  }
  EXPECT_TRUE(is_delivered(decide(kStandard, answered(204), kStandard.max_attempts(), 0)));
}

TEST(RetryPolicyTest, DeadLettersAfterTheLastAttempt) {
  ASSERT_EQ(kStandard.max_attempts(), 10);
  EXPECT_EQ(delay_of(decide(kStandard, answered(500), 9, 0)), 24h);
  EXPECT_EQ(reason_of(decide(kStandard, answered(500), 10, 0)), FailureReason::attempts_exhausted);
  EXPECT_EQ(reason_of(decide(kStandard, answered(500), 11, 0)), FailureReason::attempts_exhausted);
}

TEST(RetryPolicyTest, WithoutDelaysThereIsOneAttempt) {
  EXPECT_EQ(reason_of(decide(RetryPolicy{}, answered(500), 1, 0)),
            FailureReason::attempts_exhausted);
}

TEST(RetryPolicyTest, RedirectsAreFailuresLikeOthers) {
  for (const int status_code : {301, 302, 307, 308}) {
    EXPECT_EQ(delay_of(decide(kStandard, answered(status_code), 1, 0)), 5s);
    EXPECT_EQ(delay_of(decide(kItpay, answered(status_code), 1, 0)), 10s);
  }
}

TEST(RetryPolicyTest, ErrorsOfTheNetworkAndOurOwnAreTriedAgain) {
  using enum AttemptError;
  for (const AttemptError error :
       {dns, connect, tls, timeout, connection_lost, bad_response, internal}) {
    EXPECT_EQ(delay_of(decide(kItpay, broke_off(error), 2, 0)), 1min) << to_text(error);
  }
}

TEST(RetryPolicyTest, AForbiddenAddressIsNeverTriedAgain) {
  const Decision decision = decide(kStandard, broke_off(AttemptError::blocked_by_policy), 1, 0);
  EXPECT_EQ(reason_of(decision), FailureReason::blocked_by_policy);
  EXPECT_FALSE(decision.disable_endpoint);
}

TEST(RetryPolicyTest, GoneEndsTheStandardScheduleAndDisablesTheEndpoint) {
  const Decision decision = decide(kStandard, answered(410), 1, 0);
  EXPECT_EQ(reason_of(decision), FailureReason::gone);
  EXPECT_TRUE(decision.disable_endpoint);
  EXPECT_TRUE(decide(kStandard, answered(410), 10, 0).disable_endpoint)
      << "on the last one as well";
  EXPECT_FALSE(decide(kStandard, answered(404), 1, 0).disable_endpoint);
}

TEST(RetryPolicyTest, TheStandardScheduleTriesOther4xxAgain) {
  for (const int status_code : {400, 401, 403, 404, 408, 422, 429}) {
    EXPECT_EQ(delay_of(decide(kStandard, answered(status_code), 1, 0)), 5s) << status_code;
  }
}

TEST(RetryPolicyTest, ItpayRejectsEvery4xxExcept401) {
  for (const std::string_view name : {"itpay", "itpay-short"}) {
    const RetryPolicy policy = retry_preset(name).value();
    for (int status_code = 400; status_code <= 499; ++status_code) {
      const Decision decision = decide(policy, answered(status_code), 1, 0);
      if (status_code == 401) {
        EXPECT_EQ(delay_of(decision), 10s);
      } else {
        const auto reason = status_code == 410 ? FailureReason::gone : FailureReason::rejected;
        EXPECT_EQ(reason_of(decision), reason) << status_code;
      }
      EXPECT_FALSE(decision.disable_endpoint) << status_code;
    }
  }
}

TEST(RetryPolicyTest, PandoraAndEngeniusTryWhateverIsNot2xxAgain) {
  for (const std::string_view name : {"pandora", "engenius"}) {
    const RetryPolicy policy = retry_preset(name).value();
    for (const int status_code : {302, 400, 401, 404, 410, 500, 503}) {
      const Decision decision = decide(policy, answered(status_code), 1, 0);
      EXPECT_EQ(delay_of(decision), 30s) << name << ' ' << status_code;
      EXPECT_FALSE(decision.disable_endpoint);
    }
  }
}

TEST(RetryPolicyTest, AnOwnListOfEndingAnswersRejects) {
  const RetryPolicy policy{.delays = {1s, 5s}, .end_on = {415, 500}};
  EXPECT_EQ(reason_of(decide(policy, answered(415), 1, 0)), FailureReason::rejected);
  EXPECT_EQ(reason_of(decide(policy, answered(500), 1, 0)), FailureReason::rejected);
  EXPECT_EQ(delay_of(decide(policy, answered(502), 2, 0)), 5s);
}

TEST(RetryPolicyTest, RetryAfterOnlyEverMakesTheWaitLonger) {
  const auto delay_with = [](Milliseconds retry_after, int attempt) {
    return delay_of(decide(kItpay, answered(500, retry_after), attempt, 0));
  };
  EXPECT_EQ(delay_with(3s, 1), 10s) << "shorter than the schedule";
  EXPECT_EQ(delay_with(0s, 1), 10s);
  EXPECT_EQ(delay_with(120s, 1), 120s);
  EXPECT_EQ(delay_with(24h, 1), 24h);
  EXPECT_EQ(delay_with(25h, 1), 24h) << "no receiver puts us off for longer than a day";
  EXPECT_EQ(delay_with(Milliseconds::max(), 1), 24h);
  EXPECT_EQ(delay_with(24h, 9), 72h) << "the schedule itself may be longer than a day";
}

TEST(RetryPolicyTest, RetryAfterDoesNotRescueADeliveryThatEnds) {
  EXPECT_EQ(reason_of(decide(kItpay, answered(429, 60s), 1, 0)), FailureReason::rejected);
  EXPECT_EQ(reason_of(decide(kStandard, answered(503, 60s), 10, 0)),
            FailureReason::attempts_exhausted);
}

TEST(RetryPolicyTest, OverloadWithRetryAfterPausesTheEndpoint) {
  for (const int status_code : {429, 503}) {
    EXPECT_EQ(decide(kStandard, answered(status_code, 60s), 1, 0).pause_endpoint, 60s);
    EXPECT_EQ(decide(kStandard, answered(status_code, 48h), 1, 0).pause_endpoint, 24h);
    EXPECT_EQ(decide(kStandard, answered(status_code, 60s), 10, 0).pause_endpoint, 60s)
        << "the other deliveries wait even if this one has ended";
    EXPECT_FALSE(decide(kStandard, answered(status_code), 1, 0).pause_endpoint);
  }
  EXPECT_EQ(decide(kItpay, answered(429, 60s), 1, 0).pause_endpoint, 60s);
  EXPECT_FALSE(decide(kStandard, answered(500, 60s), 1, 0).pause_endpoint);
  EXPECT_FALSE(decide(kStandard, answered(200, 60s), 1, 0).pause_endpoint);
}

TEST(RetryPolicyTest, JitterOnlyAddsAndStaysBelowItsShare) {
  EXPECT_TRUE(rc::check("delay <= decided < delay * (1 + jitter)", [] {
    const int attempt = *rc::gen::inRange(1, 10);
    const double unit = *rc::gen::inRange(0, 1'000'000) / 1e6;
    const RetryPolicy policy{.delays = kStandard.delays,
                             .jitter = *rc::gen::inRange(0, 100) / 100.0};
    const Milliseconds base = policy.delays[static_cast<size_t>(attempt) - 1];
    const Milliseconds delay = delay_of(decide(policy, answered(500), attempt, unit)).value();
    RC_ASSERT(delay >= base);
    RC_ASSERT(static_cast<double>(delay.count()) <=
              static_cast<double>(base.count()) * (1 + policy.jitter));
  }));
}

TEST(RetryPolicyTest, JitterReachesBothEndsOfItsShare) {
  EXPECT_EQ(delay_of(decide(kStandard, answered(500), 2, 0)), 300s);
  EXPECT_EQ(delay_of(decide(kStandard, answered(500), 2, 0.5)), 330s);
  EXPECT_GE(delay_of(decide(kStandard, answered(500), 2, 0.999999)), 359s);
}

TEST(RetryPolicyTest, RetryAfterIsNotJittered) {
  EXPECT_EQ(delay_of(decide(kStandard, answered(503, 1h), 1, 0.9)), 1h);
}

}  // namespace
}  // namespace sealpost
