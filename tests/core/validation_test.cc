// What answers to a handshake mean, and how an endpoint's status follows.
#include "core/validation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "core/endpoint.h"
#include "core/validation_store.h"

namespace sealpost {
namespace {

using Json = nlohmann::json;

// One word and the rate, so that tables can be read.
std::string word(const ValidationVerdict& verdict) {
  if (const auto* consent = std::get_if<Consent>(&verdict)) {
    const auto rate = consent->allowed_per_minute;
    return "consent" + (rate ? " " + std::to_string(*rate) : std::string());
  }
  if (std::holds_alternative<NoConsent>(verdict)) return "refusal";
  return std::holds_alternative<NoAnswer>(verdict) ? "no answer" : "later";
}

AttemptOutcome answer(int status, std::vector<Header> headers = {}, std::string body = "") {
  AttemptOutcome outcome;
  outcome.status_code = status;
  outcome.consent_headers = std::move(headers);
  outcome.response_body = std::move(body);
  return outcome;
}

AttemptOutcome nothing(AttemptError error) {
  AttemptOutcome outcome;
  outcome.error = error;
  return outcome;
}

Header origin(std::string value) { return {"WebHook-Allowed-Origin", std::move(value)}; }
Header rate(std::string value) { return {"webhook-allowed-rate", std::move(value)}; }

struct ConsentCase {
  const char* name;
  AttemptOutcome outcome;
  std::optional<int> asked_rate;
  bool callback;
  const char* verdict;
};
void PrintTo(const ConsentCase& one, std::ostream* out) { *out << one.name; }

class ConsentTest : public ::testing::TestWithParam<ConsentCase> {};

TEST_P(ConsentTest, IsExpressedByHeadersOnly) {
  const ConsentCase& one = GetParam();
  const ConsentQuestion question{
      .origin = "sender.example", .per_minute = one.asked_rate, .callback_offered = one.callback};
  EXPECT_EQ(word(judge_consent(one.outcome, question)), one.verdict);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, ConsentTest,
    ::testing::Values(
        ConsentCase{"our name", answer(200, {origin("sender.example")}), {}, false, "consent"},
        ConsentCase{"another case", answer(200, {origin("Sender.Example")}), {}, false, "consent"},
        ConsentCase{"any name", answer(200, {origin("*")}), {}, false, "consent"},
        ConsentCase{"whatever status", answer(500, {origin("*")}), {}, false, "consent"},
        ConsentCase{"405 with it", answer(405, {origin("*"), rate("*")}), 60, false, "consent"},
        ConsentCase{"a rate", answer(200, {origin("*"), rate("90")}), 60, false, "consent 90"},
        ConsentCase{
            "a rate unasked", answer(200, {origin("*"), rate("1")}), {}, false, "consent 1"},
        ConsentCase{"any rate", answer(200, {origin("*"), rate("*")}), 60, true, "consent"},
        ConsentCase{"no rate", answer(200, {origin("*")}), 60, false, "refusal"},
        ConsentCase{"rate of zero", answer(200, {origin("*"), rate("0")}), 60, false, "refusal"},
        ConsentCase{"negative", answer(200, {origin("*"), rate("-5")}), 60, false, "refusal"},
        ConsentCase{"fraction", answer(200, {origin("*"), rate("1.5")}), 60, false, "refusal"},
        ConsentCase{"overlong", answer(200, {origin("*"), rate("99999999999")}), 60, false,
                    "refusal"},
        ConsentCase{"two rates", answer(200, {origin("*"), rate("1"), rate("2")}), 60, false,
                    "refusal"},
        ConsentCase{"empty rate", answer(200, {origin("*"), rate("")}), {}, false, "refusal"},
        ConsentCase{"another name", answer(200, {origin("other.example")}), {}, true, "refusal"},
        ConsentCase{
            "ours as part", answer(200, {origin("a.sender.example")}), {}, false, "refusal"},
        ConsentCase{"two names",
                    answer(200, {origin("sender.example"), origin("b")}),
                    {},
                    false,
                    "refusal"},
        ConsentCase{"empty name", answer(200, {origin("")}), {}, true, "refusal"},
        ConsentCase{"200 alone", answer(200), {}, false, "refusal"},
        ConsentCase{"rate alone", answer(200, {rate("5")}), 60, false, "refusal"},
        ConsentCase{"405", answer(405), {}, false, "refusal"},
        ConsentCase{"redirect", answer(302), {}, false, "refusal"},
        ConsentCase{"503", answer(503), {}, false, "no answer"},
        ConsentCase{"429", answer(429), {}, false, "no answer"},
        ConsentCase{"200 alone, later", answer(200), {}, true, "later"},
        ConsentCase{"405, later", answer(405), {}, true, "later"},
        ConsentCase{"503, later", answer(503), {}, true, "later"},
        ConsentCase{"timeout", nothing(AttemptError::timeout), {}, false, "no answer"},
        ConsentCase{"no connection", nothing(AttemptError::connect), {}, true, "no answer"},
        ConsentCase{"blocked", nothing(AttemptError::blocked_by_policy), {}, false, "no answer"}));

constexpr char kToken[] = "qgg8vlvZRS6UYooatFL8Aw";
// printf qgg8vlvZRS6UYooatFL8Aw | openssl dgst -sha256 -hmac 0123456789abcdef
constexpr char kMac[] = "ee9f6cfd809e368fab94b358593f7a535b35ecfb5a55b90cbcc04ef169223487";

std::string tokens(const Json& plain, const Json& encrypted) {
  return Json{{"plainToken", plain}, {"encryptedToken", encrypted}}.dump();
}

ValidationVerdict judged(const AttemptOutcome& outcome) {
  return judge_challenge(outcome, kToken,
                         {SecretText("another secret"), SecretText("0123456789abcdef")});
}

struct ChallengeCase {
  const char* name;
  AttemptOutcome outcome;
  const char* verdict;
};
void PrintTo(const ChallengeCase& one, std::ostream* out) { *out << one.name; }

class ChallengeTest : public ::testing::TestWithParam<ChallengeCase> {};

TEST_P(ChallengeTest, IsMetByTheTokenAndItsMac) {
  EXPECT_EQ(word(judged(GetParam().outcome)), GetParam().verdict);
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, ChallengeTest,
    ::testing::Values(
        ChallengeCase{"met", answer(200, {}, tokens(kToken, kMac)), "consent"},
        ChallengeCase{"201", answer(201, {}, tokens(kToken, kMac)), "refusal"},
        ChallengeCase{"redirect", answer(301, {}, tokens(kToken, kMac)), "refusal"},
        ChallengeCase{"503", answer(503, {}, tokens(kToken, kMac)), "no answer"},
        ChallengeCase{"429", answer(429), "no answer"},
        ChallengeCase{"timeout", nothing(AttemptError::timeout), "no answer"},
        ChallengeCase{"blocked", nothing(AttemptError::blocked_by_policy), "no answer"},
        ChallengeCase{"another token", answer(200, {}, tokens("x", kMac)), "refusal"},
        ChallengeCase{"upper case", answer(200, {}, tokens(kToken, upper(kMac))), "refusal"},
        ChallengeCase{"the token itself", answer(200, {}, tokens(kToken, kToken)), "refusal"},
        ChallengeCase{"no MAC", answer(200, {}, tokens(kToken, nullptr)), "refusal"},
        ChallengeCase{"numbers", answer(200, {}, tokens(5, 6)), "refusal"},
        ChallengeCase{"an array", answer(200, {}, "[1]"), "refusal"},
        ChallengeCase{"no JSON", answer(200, {}, "ok"), "refusal"},
        ChallengeCase{"nothing", answer(200), "refusal"}));

TEST(ChallengeBodyTest, AnAnswerThatWasCutOffIsNone) {
  AttemptOutcome outcome = answer(200, {}, tokens(kToken, kMac));
  outcome.response_truncated = true;
  EXPECT_EQ(word(judged(outcome)), "refusal");
}

TEST(ChallengeBodyTest, HasTheFormOfItsDocument) {
  const WallTime at{std::chrono::milliseconds{1'716'800'400'123}};
  EXPECT_EQ(challenge_body("abc", at),
            R"({"event":"endpoint.url_validation","payload":{"plainToken":"abc"},)"
            R"("event_ts":1716800400123})");
}

TEST(ChallengeBodyTest, TheReceiversHalfAnswersWhatTheSendersHalfAccepts) {
  const auto reply =
      answer_to_challenge(challenge_body(kToken, WallTime{}), SecretText("0123456789abcdef"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(word(judged(answer(200, {}, *reply))), "consent");
  for (const char* body : {"", "[]", "{}", R"({"event":"invoice.paid","payload":{}})",
                           R"({"event":"endpoint.url_validation","payload":5})"}) {
    EXPECT_FALSE(answer_to_challenge(body, SecretText("x"))) << body;
  }
}

TEST(ChallengeKeyTest, IsTheKeyOfTheSignatures) {
  const auto key = [](const char* profile, const char* secret) {
    const auto found = challenge_key(signing_preset(profile).value(), SecretText(secret));
    return found ? std::string(found->reveal()) : "none";
  };
  EXPECT_EQ(key("zoom", "0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(key("adyen-platform", "30313233"), "0123");
  const std::string base64 = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
  EXPECT_EQ(key("standard", ("whsec_" + base64).c_str()), "0123456789abcdef01234567");
  EXPECT_EQ(key("standard-both", ("whsec_" + base64 + ",whsk_x").c_str()),
            "0123456789abcdef01234567");
  for (const char* profile : {"none", "standard-asymmetric", "httpsig", "sealed-json"}) {
    EXPECT_EQ(key(profile, "0123456789abcdef"), "none") << profile;
  }
}

TEST(StandingTest, OfANewEndpoint) {
  EXPECT_EQ(first_standing(ValidationKind::none), Standing{});
  const Standing asked = first_standing(ValidationKind::challenge);
  EXPECT_EQ(asked.status, EndpointStatus::paused);
  EXPECT_EQ(asked.validation, ValidationState::pending);
  EXPECT_TRUE(asked.ask);
  EXPECT_NE(asked.status_reason, "");
}

struct StandingCase {
  EndpointStatus status;
  ValidationState state;
  EndpointStatus after_status;
  ValidationState after_state;
};

TEST(StandingTest, AChangeAsksAgainUnlessAnOperatorStoppedTheEndpoint) {
  using enum EndpointStatus;
  using State = ValidationState;
  const StandingCase cases[] = {{enabled, State::none, paused, State::pending},
                                {enabled, State::valid, paused, State::pending},
                                {paused, State::refused, paused, State::pending},
                                {paused, State::pending, paused, State::pending},
                                {paused, State::valid, paused, State::unasked},
                                {paused, State::unasked, paused, State::unasked},
                                {disabled, State::none, disabled, State::unasked}};
  for (const StandingCase& one : cases) {
    const Standing after =
        standing_after_change({one.status, "r", one.state}, ValidationKind::cloudevents);
    EXPECT_EQ(after.status, one.after_status);
    EXPECT_EQ(after.validation, one.after_state);
    EXPECT_EQ(after.ask, one.after_state == State::pending);
  }
}

TEST(StandingTest, WithoutValidationOnlyItsOwnPauseEnds) {
  using enum EndpointStatus;
  using State = ValidationState;
  const StandingCase cases[] = {{paused, State::pending, enabled, State::none},
                                {paused, State::refused, enabled, State::none},
                                {paused, State::unasked, paused, State::none},
                                {paused, State::valid, paused, State::none},
                                {disabled, State::unasked, disabled, State::none},
                                {enabled, State::valid, enabled, State::none}};
  for (const StandingCase& one : cases) {
    const Standing after =
        standing_after_change({one.status, "r", one.state}, ValidationKind::none);
    EXPECT_EQ(after.status, one.after_status);
    EXPECT_EQ(after.validation, one.after_state);
    EXPECT_FALSE(after.ask);
  }
}

TEST(StandingTest, EnablingAsksUnlessItIsValid) {
  using enum EndpointStatus;
  using State = ValidationState;
  for (const State state : {State::unasked, State::pending, State::refused}) {
    const Standing after =
        standing_after({paused, "r", state}, ValidationKind::challenge, enabled, "");
    EXPECT_EQ(after.status, paused);
    EXPECT_EQ(after.validation, State::pending);
    EXPECT_TRUE(after.ask);
  }
  const Standing valid =
      standing_after({paused, "r", State::valid}, ValidationKind::challenge, enabled, "why");
  EXPECT_EQ(valid, (Standing{enabled, "why", State::valid}));
  const Standing none = standing_after({paused, "r"}, ValidationKind::none, enabled, "why");
  EXPECT_EQ(none, (Standing{enabled, "why"}));
}

TEST(StandingTest, AnOperatorsPauseEndsTheQuestion) {
  using enum EndpointStatus;
  using State = ValidationState;
  for (const EndpointStatus status : {paused, disabled, deleted}) {
    const Standing after =
        standing_after({paused, "", State::pending}, ValidationKind::challenge, status, "mine");
    EXPECT_EQ(after, (Standing{status, "mine", State::unasked}));
  }
  EXPECT_EQ(standing_after({enabled, "", State::valid}, ValidationKind::challenge, paused, "mine"),
            (Standing{paused, "mine", State::valid}));
}

TEST(NoAnswerTest, IsARefusalAfterTheLastTime) {
  const NoAnswer silence{"nobody there."};
  int asked = 1;
  for (; next_question_after(asked); ++asked) {
    EXPECT_EQ(word(final_verdict({.asked = asked}, silence)), "no answer");
  }
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(word(final_verdict({.asked = asked}, silence)), "refusal");
  EXPECT_EQ(word(final_verdict({.asked = 1000}, silence)), "refusal");
  EXPECT_EQ(word(final_verdict({.asked = 1000}, Consent{})), "consent");
}

TEST(AllowedRateTest, TheLowerOneCounts) {
  Endpoint endpoint;
  EXPECT_EQ(endpoint.rate_per_second(), std::nullopt);
  endpoint.validation.allowed_per_minute = 120;
  EXPECT_EQ(endpoint.rate_per_second(), 2.0);
  endpoint.settings.rate_limit_per_second = 0.5;
  EXPECT_EQ(endpoint.rate_per_second(), 0.5);
  endpoint.settings.rate_limit_per_second = 50;
  EXPECT_EQ(endpoint.rate_per_second(), 2.0);
}

TEST(AllowedRateTest, AskedForIsWhatTheLimitNeeds) {
  EXPECT_EQ(requested_rate(std::nullopt), std::nullopt);
  EXPECT_EQ(requested_rate(2), 120);
  EXPECT_EQ(requested_rate(0.001), 1);
  EXPECT_EQ(requested_rate(0.51), 31);
}

TEST(DnsNameTest, Table) {
  const std::string good[] = {"a", "events.example.com", "a-1.b", std::string(63, 'a')};
  for (const std::string& name : good) EXPECT_TRUE(is_dns_name(name)) << name;
  const std::string bad[] = {
      "", ".", "a..b", "a.", "a b", "a\r\nb", "*", "https://a", std::string(64, 'a')};
  for (const std::string& name : bad) EXPECT_FALSE(is_dns_name(name)) << name;
}

}  // namespace
}  // namespace sealpost
