// A fresh migrated database per test, and short ways to put things into it and look at them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/delivery_store.h"
#include "storage/pg_delivery_store.h"
#include "storage/pg_dispatcher_registry.h"
#include "storage/pg_endpoint_store.h"
#include "storage/pg_history_store.h"
#include "tests/support/fake_random.h"
#include "tests/support/postgres_cluster.h"

namespace sealpost {

class StorageTest : public testing::Test {
 protected:
  StorageTest();

  // SQL as an administrator. The first column of each row.
  std::vector<std::string> rows(const std::string& sql);
  std::string value(const std::string& sql);  // of the only row
  void run(const std::string& sql) { rows(sql); }
  int count(const std::string& from) { return std::stoi(value("SELECT count(*) FROM " + from)); }

  EndpointId add_endpoint(const std::string& tenant, std::vector<std::string> events);
  EventId insert_event(const std::string& tenant, const std::string& type,
                       const std::string& payload = "{}");
  Epoch start_dispatcher(const std::string& instance);

  // Takes everything in, with room for all.
  std::vector<LeasedDelivery> take_in(Epoch epoch);
  IntakeRequest intake_request(Epoch epoch) const;

  FinishedAttempt attempt(const LeasedDelivery& delivery, Decision decision) const;
  FinishResult finish(const LeasedDelivery& delivery, Decision decision);

  const std::string url_;
  const DatabaseOptions options_;
  FakeRandom random_;
  const std::shared_ptr<MasterKeys> master_keys_;
  PgSession sql_;
  PgDeliveryStore store_;
  PgDispatcherRegistry registry_;
  PgEndpointStore endpoints_;
  PgHistoryStore history_;
  const MonotonicTime now_{std::chrono::hours{1000}};
};

std::vector<std::int16_t> all_buckets();

}  // namespace sealpost
