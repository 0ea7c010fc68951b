// What is written down about validations, and who is handed out to be asked.
#include "storage/pg_validation_store.h"

#include <gmock/gmock.h>

#include "base/hash.h"
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class ValidationStoreTest : public StorageTest {
 protected:
  EndpointId add(ValidationKind kind) {
    NewEndpoint endpoint{.tenant = "acme", .settings = {}, .secret = SecretText("whsec_canary")};
    endpoint.settings.url = "https://a.example/";
    endpoint.settings.enabled_events = {"*"};
    endpoint.settings.validation = kind;
    return endpoints_.create(endpoint).id;
  }
  std::vector<DueValidation> take() { return validations_.take_due(all_buckets(), 10); }
  Endpoint read(const EndpointId& id) { return *endpoints_.get(std::nullopt, id); }
  void make_due() { run("UPDATE sealpost.endpoints SET validation_due_at = now()"); }
  std::string due_in_seconds() {
    return value(
        "SELECT coalesce(round(extract(epoch FROM validation_due_at - now()) / 10) * 10, -1)::int "
        "FROM sealpost.endpoints");
  }

  PgValidationStore validations_{options_};
};

TEST_F(ValidationStoreTest, ANewEndpointIsHandedOutOnceUntilItsHoldEnds) {
  add(ValidationKind::none);
  EXPECT_THAT(take(), IsEmpty());
  const EndpointId id = add(ValidationKind::challenge);
  EXPECT_EQ(read(id).status, EndpointStatus::paused);
  EXPECT_EQ(read(id).validation.state, ValidationState::pending);
  const auto due = take();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].endpoint_id, id);
  EXPECT_EQ(due[0].version, read(id).version);
  EXPECT_EQ(due[0].asked, 1);
  EXPECT_TRUE(read(id).validation.asked_at);
  EXPECT_THAT(take(), IsEmpty());
  make_due();
  ASSERT_THAT(take(), SizeIs(1)) << "whoever asked died";
}

TEST_F(ValidationStoreTest, OnlyItsBucketsAreHandedOut) {
  add(ValidationKind::challenge);
  std::vector<std::int16_t> others = all_buckets();
  std::erase(others, std::stoi(value("SELECT bucket FROM sealpost.endpoints")));
  EXPECT_THAT(validations_.take_due(others, 10), IsEmpty());
}

TEST_F(ValidationStoreTest, ConsentEnablesAndAChallengeIsDueAgainIn72Hours) {
  const EndpointId id = add(ValidationKind::challenge);
  const auto due = take();
  EXPECT_TRUE(validations_.conclude(due.at(0), Consent{}));
  EXPECT_EQ(read(id).status, EndpointStatus::enabled);
  EXPECT_EQ(read(id).status_reason, "");
  EXPECT_EQ(read(id).validation.state, ValidationState::valid);
  EXPECT_GT(read(id).version, due[0].version) << "dispatchers must see it";
  EXPECT_EQ(due_in_seconds(), "259200");
  EXPECT_FALSE(validations_.conclude(due[0], NoConsent{"late"})) << "about another version";
  make_due();
  EXPECT_THAT(take(), SizeIs(1));
}

TEST_F(ValidationStoreTest, AConsentByHeadersIsForGood) {
  const EndpointId id = add(ValidationKind::cloudevents);
  const auto due = take();
  validations_.asking(due.at(0), "sender.example", "");
  EXPECT_TRUE(validations_.conclude(due[0], Consent{90}));
  const Validation validation = read(id).validation;
  EXPECT_EQ(validation.state, ValidationState::valid);
  EXPECT_EQ(validation.allowed_per_minute, 90);
  EXPECT_EQ(validation.origin, "sender.example");
  EXPECT_EQ(due_in_seconds(), "-1");
}

TEST_F(ValidationStoreTest, ARefusalPausesAndAnOperatorHasItAskedAgain) {
  const EndpointId id = add(ValidationKind::challenge);
  validations_.conclude(take().at(0), Consent{});
  make_due();
  EXPECT_TRUE(validations_.conclude(take().at(0), NoConsent{"no."}));
  EXPECT_EQ(read(id).status, EndpointStatus::paused);
  EXPECT_THAT(read(id).status_reason, testing::HasSubstr("no."));
  EXPECT_EQ(read(id).validation.reason, "no.");
  EXPECT_THAT(take(), IsEmpty());
  endpoints_.set_status(std::nullopt, id, EndpointStatus::enabled, "", std::nullopt);
  EXPECT_EQ(read(id).validation.state, ValidationState::pending);
  EXPECT_THAT(take(), SizeIs(1));
}

TEST_F(ValidationStoreTest, SilenceIsAskedAgainThreeTimesAndThenARefusal) {
  const EndpointId id = add(ValidationKind::challenge);
  const char* delays[] = {"10", "60", "600"};
  for (const char* delay : delays) {
    EXPECT_TRUE(validations_.conclude(take().at(0), NoAnswer{"nobody."}));
    EXPECT_EQ(due_in_seconds(), delay);
    EXPECT_EQ(read(id).validation.state, ValidationState::pending);
    EXPECT_EQ(read(id).validation.reason, "nobody.");
    make_due();
  }
  EXPECT_TRUE(validations_.conclude(take().at(0), NoAnswer{"nobody."}));
  EXPECT_EQ(read(id).validation.state, ValidationState::refused);
}

TEST_F(ValidationStoreTest, ACallbackConsentsOnceAndOnlyByTheNewestSecret) {
  const EndpointId id = add(ValidationKind::cloudevents);
  const auto due = take();
  validations_.asking(due.at(0), "sender.example", sha256("old"));
  validations_.asking(due[0], "sender.example", sha256("new"));
  EXPECT_TRUE(validations_.conclude(due[0], LaterConsent{"later."}));
  EXPECT_EQ(due_in_seconds(), "-1");
  EXPECT_FALSE(validations_.consent(sha256("old"), {}));
  EXPECT_EQ(validations_.consent(sha256("new"), Consent{30}), id);
  EXPECT_FALSE(validations_.consent(sha256("new"), {}));
  EXPECT_EQ(read(id).status, EndpointStatus::enabled);
  EXPECT_EQ(read(id).validation.allowed_per_minute, 30);
}

TEST_F(ValidationStoreTest, AnotherUrlIsAskedAnewAndAnOperatorsPauseEndsTheQuestion) {
  const EndpointId id = add(ValidationKind::cloudevents);
  const auto due = take();
  validations_.asking(due.at(0), "sender.example", sha256("old"));
  validations_.conclude(due[0], Consent{});
  EndpointSettings settings = read(id).settings;
  settings.timeout = Milliseconds{2000};
  endpoints_.update(std::nullopt, id, settings, std::nullopt);
  EXPECT_EQ(read(id).validation.state, ValidationState::valid);
  settings.url = "https://b.example/";
  endpoints_.update(std::nullopt, id, settings, std::nullopt);
  EXPECT_EQ(read(id).validation.state, ValidationState::pending);
  EXPECT_EQ(read(id).validation.origin, "");
  validations_.asking(take().at(0), "sender.example", sha256("newer"));
  endpoints_.set_status(std::nullopt, id, EndpointStatus::paused, "mine", std::nullopt);
  EXPECT_EQ(read(id).validation.state, ValidationState::unasked);
  EXPECT_FALSE(validations_.consent(sha256("newer"), {}));
  make_due();
  EXPECT_THAT(take(), IsEmpty());
  endpoints_.set_status(std::nullopt, id, EndpointStatus::deleted, "", std::nullopt);
}

}  // namespace
}  // namespace sealpost
