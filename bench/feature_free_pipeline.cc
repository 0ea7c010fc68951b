#include "bench/feature_free_pipeline.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <charconv>
#include <exception>
#include <functional>
#include <iterator>
#include <mutex>
#include <thread>

#include "bench/feature_free_sender.h"
#include "bench/handoff.h"

namespace sealpost {
namespace {

constexpr int kBatch = 1000;
constexpr std::size_t kMaxWaiting = 2 * kBatch;  // payloads ready to be sent
constexpr std::chrono::milliseconds kPoll{5};

constexpr auto kTables = R"sql(
CREATE SCHEMA feature_free;
CREATE TABLE feature_free.events (id bigint PRIMARY KEY, payload json NOT NULL);
CREATE TABLE feature_free.queue (event_id bigint PRIMARY KEY);
CREATE TABLE feature_free.deliveries (
  id bigint PRIMARY KEY, endpoint smallint NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE feature_free.history (
  id bigint PRIMARY KEY, endpoint smallint NOT NULL, state text NOT NULL, attempts smallint NOT NULL,
  status_code smallint, created_at timestamptz NOT NULL, finished_at timestamptz NOT NULL);
CREATE TABLE feature_free.attempts (
  delivery_id bigint NOT NULL, number smallint NOT NULL, started_at timestamptz NOT NULL,
  duration_us int NOT NULL, first_byte_us int, status_code smallint, error text, remote_address text,
  response_body bytea);
CREATE INDEX attempts_by_delivery ON feature_free.attempts (delivery_id);
)sql";

// The queue is read from the last id on, so that rows deleted before are not visited again.
constexpr auto kIntake = R"sql(
WITH taken AS (
  DELETE FROM feature_free.queue WHERE event_id IN (
    SELECT event_id FROM feature_free.queue WHERE event_id > $1::bigint ORDER BY event_id LIMIT $2::int)
  RETURNING event_id),
born AS (
  INSERT INTO feature_free.deliveries (id, endpoint, created_at)
  SELECT event_id, event_id % $3::int, now() FROM taken RETURNING id, endpoint)
SELECT born.id, born.endpoint, events.payload FROM born JOIN feature_free.events ON events.id = born.id)sql";

constexpr auto kFinish = R"sql(
WITH finished AS (
  SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::int[], $5::int[], $6::text[])
    AS f (id, status_code, started_us, duration_us, first_byte_us, remote_address)),
gone AS (
  DELETE FROM feature_free.deliveries d USING finished f WHERE d.id = f.id
  RETURNING d.id, d.endpoint, d.created_at, f.status_code),
settled AS (
  INSERT INTO feature_free.history (id, endpoint, state, attempts, status_code, created_at, finished_at)
  SELECT id, endpoint, 'delivered', 1, status_code, created_at, now() FROM gone)
INSERT INTO feature_free.attempts (delivery_id, number, started_at, duration_us, first_byte_us,
                                   status_code, remote_address)
SELECT id, 1, to_timestamp(started_us / 1e6), duration_us, first_byte_us, status_code, remote_address
FROM finished)sql";

// The tables were empty when they were last analyzed, if ever; index lookups are right at any size.
constexpr auto kSession =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    "SET plan_cache_mode = force_generic_plan";

template <class Value>
std::string array_of(const std::vector<PlainResult>& results, Value value) {
  std::string text = "{";
  for (const auto& result : results) {
    fmt::format_to(std::back_inserter(text), "{},", value(result));
  }
  text.back() = '}';
  return text;
}

}  // namespace

struct FeatureFreePipeline::Parts {
  explicit Parts(const FeatureFreeOptions& given)
      : options(given), sender(given.endpoint_urls, given.max_in_flight, given.ca_file) {}

  void intake();
  void network();
  void finish();

  // A thread: ends when told to, or by itself with what it died of.
  void run(void (Parts::*work)()) {
    threads.emplace_back([this, work] {
      try {
        (this->*work)();
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        failure = std::current_exception();
      }
    });
  }

  const FeatureFreeOptions options;
  FeatureFreeSender sender;
  Handoff<PlainDelivery> ready;
  Handoff<PlainResult> results;
  std::atomic<bool> stopping = false;
  std::mutex failure_mutex;
  std::exception_ptr failure;
  std::vector<std::thread> threads;
};

void FeatureFreePipeline::Parts::intake() {
  Database database(options.database_url);
  database.run(kSession);
  database.prepare("intake", kIntake);
  std::array<std::string, 3> parameters{"0", std::to_string(kBatch),
                                        std::to_string(options.endpoint_urls.size())};
  while (!stopping) {
    if (!ready.wait_below(kMaxWaiting, kPoll)) continue;
    const Rows rows = database.execute("intake", parameters);
    if (rows.count() == 0) {
      std::this_thread::sleep_for(kPoll);
      continue;
    }
    std::vector<PlainDelivery> batch(static_cast<std::size_t>(rows.count()));
    long long last = 0;
    for (int i = 0; i < rows.count(); ++i) {
      auto& delivery = batch[static_cast<std::size_t>(i)];
      const auto endpoint = rows.at(i, 1);
      delivery.id = rows.at(i, 0);
      std::from_chars(endpoint.data(), endpoint.data() + endpoint.size(), delivery.endpoint);
      delivery.payload = rows.at(i, 2);
      last = std::max(last, std::stoll(delivery.id));
    }
    parameters[0] = std::to_string(last);
    ready.put(std::move(batch));
    sender.wake();
  }
}

void FeatureFreePipeline::Parts::network() {
  std::vector<PlainDelivery> waiting;
  std::size_t next = 0;
  std::vector<PlainResult> finished;
  while (!stopping) {
    while (sender.room() > 0) {
      if (next == waiting.size()) {
        waiting = ready.take();
        next = 0;
        if (waiting.empty()) break;
      }
      sender.start(std::move(waiting[next++]));
    }
    sender.poll(kPoll, finished);
    // One hand-over per batch, unless there is nothing left to wait for.
    const bool idle = sender.room() == options.max_in_flight;
    if (finished.size() >= kBatch || (idle && !finished.empty())) {
      results.put(std::exchange(finished, {}));
    }
  }
}

void FeatureFreePipeline::Parts::finish() {
  Database database(options.database_url);
  database.run(kSession);
  database.prepare("finish", kFinish);
  while (!stopping) {
    const auto batch = results.take(1, kPoll);
    if (batch.empty()) continue;
    const std::array<std::string, 6> columns{
        array_of(
            batch, [](const auto& r) -> const auto& { return r.id; }),
        array_of(batch, [](const auto& r) { return r.status_code; }),
        array_of(batch, [](const auto& r) { return r.started_at.count(); }),
        array_of(batch, [](const auto& r) { return r.duration.count(); }),
        array_of(batch, [](const auto& r) { return r.first_byte.count(); }),
        array_of(
            batch, [](const auto& r) -> const auto& { return r.remote_address; })};
    database.execute("finish", columns);
  }
}

void FeatureFreePipeline::create_tables(Database& database) { database.run(kTables); }

void FeatureFreePipeline::insert_events(Database& database, int events,
                                        const std::string& payload_sql) {
  database.run(fmt::format(
      "BEGIN; INSERT INTO feature_free.events SELECT n, {0} FROM generate_series(1, {1}) n;"
      "INSERT INTO feature_free.queue SELECT n FROM generate_series(1, {1}) n; COMMIT",
      payload_sql, events));
}

FeatureFreePipeline::FeatureFreePipeline(const FeatureFreeOptions& options)
    : parts_(std::make_unique<Parts>(options)) {}

FeatureFreePipeline::~FeatureFreePipeline() {
  parts_->stopping = true;
  parts_->sender.wake();
  for (auto& thread : parts_->threads) thread.join();
}

void FeatureFreePipeline::start() {
  parts_->run(&Parts::intake);
  parts_->run(&Parts::network);
  parts_->run(&Parts::finish);
}

void FeatureFreePipeline::check() const {
  const std::lock_guard lock(parts_->failure_mutex);
  if (parts_->failure) std::rethrow_exception(parts_->failure);
}

}  // namespace sealpost
