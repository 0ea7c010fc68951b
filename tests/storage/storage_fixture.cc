#include "tests/storage/storage_fixture.h"

#include <algorithm>
#include <numeric>

namespace sealpost {

StorageTest::StorageTest()
    : url_(PostgresCluster::shared().create_database()),
      options_{.url = url_},
      master_keys_(std::make_shared<MasterKeys>(
          std::vector<MasterKey>{{SecretText(std::string(32, 'k')), "0123456789abcdef"}})),
      sql_(options_),
      store_(options_, master_keys_, random_),
      registry_(options_, "host"),
      endpoints_(options_, master_keys_, random_),
      history_(options_, master_keys_, random_) {}

std::vector<std::string> StorageTest::rows(const std::string& sql) {
  const PgRows result = sql_.query_once(sql);
  std::vector<std::string> values;
  for (int i = 0; i < result.size(); ++i) values.push_back(result.text(i, 0));
  return values;
}

std::string StorageTest::value(const std::string& sql) {
  const auto values = rows(sql);
  EXPECT_EQ(values.size(), 1u) << sql;
  return values.empty() ? "" : values[0];
}

EndpointId StorageTest::add_endpoint(const std::string& tenant, std::vector<std::string> events) {
  NewEndpoint endpoint{.tenant = tenant, .settings = {}, .secret = SecretText("whsec_test")};
  endpoint.settings.url = "https://receiver.example/hook";
  endpoint.settings.enabled_events = std::move(events);
  endpoint.settings.retry.delays = {Milliseconds(1000)};
  return endpoints_.create(endpoint).id;
}

EventId StorageTest::insert_event(const std::string& tenant, const std::string& type,
                                  const std::string& payload) {
  const PgRows row = sql_.query_once(
      "INSERT INTO sealpost.outbox (tenant, type, payload) VALUES ($1, $2, $3::json) RETURNING id",
      PgParameters().add(tenant).add(type).add(payload));
  return EventId(row.text(0, 0));
}

Epoch StorageTest::start_dispatcher(const std::string& instance) {
  return registry_.start(instance, std::chrono::seconds(30)).epoch;
}

IntakeRequest StorageTest::intake_request(Epoch epoch) const {
  IntakeRequest request;
  request.epoch = epoch;
  request.buckets = all_buckets();
  request.max_events = 1000;
  request.max_leased = 1000;
  request.max_picked_up = 1000;
  request.room_per_endpoint = 1000;
  return request;
}

std::vector<LeasedDelivery> StorageTest::take_in(Epoch epoch) {
  return store_.intake(intake_request(epoch)).leased;
}

FinishedAttempt StorageTest::attempt(const LeasedDelivery& delivery, Decision decision) const {
  FinishedAttempt attempt;
  attempt.delivery = delivery;
  attempt.attempt_number = delivery.attempts_made + 1;
  attempt.started_at = WallTime(std::chrono::microseconds(1'780'000'000'123'456));
  attempt.ended_at = now_;
  attempt.outcome.status_code = std::holds_alternative<Delivered>(decision.next) ? 200 : 503;
  attempt.outcome.duration = std::chrono::microseconds(1234);
  attempt.decision = decision;
  return attempt;
}

FinishResult StorageTest::finish(const LeasedDelivery& delivery, Decision decision) {
  const FinishedAttempt one = attempt(delivery, decision);
  return store_.finish(std::span(&one, 1), now_);
}

std::vector<std::int16_t> all_buckets() {
  std::vector<std::int16_t> buckets(256);
  std::iota(buckets.begin(), buckets.end(), std::int16_t{0});
  return buckets;
}

}  // namespace sealpost
