// The words of every closed set, as the database's constraints, the API and metrics know them.
#include "core/words.h"

#include <gtest/gtest.h>

#include "core/attempt.h"
#include "core/delivery.h"
#include "core/endpoint.h"
#include "core/envelope.h"
#include "core/token_store.h"

namespace sealpost {
namespace {

TEST(WordsTest, AttemptErrorsHaveTheirWords) {
  using enum AttemptError;
  const std::pair<AttemptError, std::string_view> expected[] = {
      {dns, "dns"},
      {connect, "connect"},
      {tls, "tls"},
      {timeout, "timeout"},
      {connection_lost, "connection_lost"},
      {blocked_by_policy, "blocked_by_policy"},
      {bad_response, "bad_response"},
      {internal, "internal"},
  };
  for (const auto& [error, text] : expected) {
    EXPECT_EQ(to_text(error), text);
    EXPECT_EQ(attempt_error_from_text(text), error);
  }
}

TEST(WordsTest, DeliveryStatesHaveTheirWords) {
  using enum DeliveryState;
  const std::pair<DeliveryState, std::string_view> expected[] = {
      {pending, "pending"}, {delivering, "delivering"}, {delivered, "delivered"},
      {failed, "failed"},   {skipped, "skipped"},       {canceled, "canceled"},
  };
  for (const auto& [state, text] : expected) {
    EXPECT_EQ(to_text(state), text);
    EXPECT_EQ(delivery_state_from_text(text), state);
  }
}

TEST(WordsTest, FailureReasonsHaveTheirWords) {
  using enum FailureReason;
  const std::pair<FailureReason, std::string_view> expected[] = {
      {attempts_exhausted, "attempts_exhausted"},
      {rejected, "rejected"},
      {gone, "gone"},
      {blocked_by_policy, "blocked_by_policy"},
      {payload_refused, "payload_refused"},
      {endpoint_deleted, "endpoint_deleted"},
      {internal, "internal"},
  };
  for (const auto& [reason, text] : expected) {
    EXPECT_EQ(to_text(reason), text);
    EXPECT_EQ(failure_reason_from_text(text), reason);
  }
}

TEST(WordsTest, ValidationsHaveTheirWords) {
  for (const std::string_view text : {"none", "cloudevents", "challenge"}) {
    EXPECT_EQ(to_text(validation_kind_from_text(text).value()), text);
  }
  for (const std::string_view text : {"none", "unasked", "pending", "valid", "refused"}) {
    EXPECT_EQ(to_text(validation_state_from_text(text).value()), text);
  }
  EXPECT_FALSE(validation_kind_from_text("zoom"));
  EXPECT_FALSE(validation_state_from_text("asked"));
}

TEST(WordsTest, EndpointStatusesHaveTheirWords) {
  using enum EndpointStatus;
  const std::pair<EndpointStatus, std::string_view> expected[] = {
      {enabled, "enabled"}, {paused, "paused"}, {disabled, "disabled"}, {deleted, "deleted"}};
  for (const auto& [status, text] : expected) {
    EXPECT_EQ(to_text(status), text);
    EXPECT_EQ(endpoint_status_from_text(text), status);
  }
}

TEST(WordsTest, EnvelopesHaveTheirWords) {
  using enum Envelope;
  const std::pair<Envelope, std::string_view> expected[] = {
      {standard, "standard"},       {itpay, "itpay"},
      {pandora, "pandora"},         {raw, "raw"},
      {cloudevents, "cloudevents"}, {cloudevents_binary, "cloudevents-binary"}};
  for (const auto& [envelope, text] : expected) {
    EXPECT_EQ(to_text(envelope), text);
    EXPECT_EQ(envelope_from_text(text), envelope);
  }
}

TEST(WordsTest, EncHeadersHaveTheirWords) {
  using enum EncHeader;
  const std::pair<EncHeader, std::string_view> expected[] = {
      {automatic, "auto"}, {full, "full"}, {body, "body"}};
  for (const auto& [rule, text] : expected) {
    EXPECT_EQ(to_text(rule), text);
    EXPECT_EQ(enc_header_from_text(text), rule);
  }
}

TEST(WordsTest, RolesHaveTheirWords) {
  using enum Role;
  const std::pair<Role, std::string_view> expected[] = {
      {admin, "admin"}, {op, "operator"}, {producer, "producer"}, {readonly, "readonly"}};
  for (const auto& [role, text] : expected) {
    EXPECT_EQ(to_text(role), text);
    EXPECT_EQ(role_from_text(text), role);
  }
}

TEST(WordsTest, UnknownWordsAreNoValue) {
  for (const std::string_view text : {"", "Pending", "dead", "pending ", "op"}) {
    EXPECT_FALSE(attempt_error_from_text(text)) << text;
    EXPECT_FALSE(delivery_state_from_text(text)) << text;
    EXPECT_FALSE(failure_reason_from_text(text)) << text;
    EXPECT_FALSE(endpoint_status_from_text(text)) << text;
    EXPECT_FALSE(envelope_from_text(text)) << text;
    EXPECT_FALSE(role_from_text(text)) << text;
  }
}

TEST(WordsDeathTest, AValueWithoutAWordStopsTheProgram) {
  EXPECT_DEATH(to_text(static_cast<Role>(99)), "has no word");
}

}  // namespace
}  // namespace sealpost
