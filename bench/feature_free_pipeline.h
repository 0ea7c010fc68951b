// The bar: the least that a webhook sender on PostgreSQL can do, done as fast as we know how.
//
//   intake thread    takes 1,000 queued events, inserts a delivery each, reads the payloads: one
//   statement network thread   signs with HMAC-SHA256, posts with libcurl (multi_socket, epoll, 256
//   at once) finish thread    deletes 1,000 deliveries, inserts their history and attempts: one
//   statement
//
// It keeps what makes the comparison fair: an event is delivered only after its row was committed,
// every attempt and every final state is recorded under synchronous commits, ids can be looked up.
// It has none of the features: no subscriptions, no leases, no second process, no retries, no
// partitions, no limits, no address check. A failed request is recorded and forgotten.
//
// Threads: an instance belongs to one thread and starts three of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/database.h"

namespace sealpost {

struct FeatureFreeOptions {
  std::string database_url;
  std::vector<std::string> endpoint_urls;
  std::string ca_file = {};  // for https; empty: the system's
  int max_in_flight = 256;
};

class FeatureFreePipeline final {
 public:
  static void create_tables(Database& database);
  // Event n goes to endpoint n modulo the number of endpoints.
  static void insert_events(Database& database, int events, const std::string& payload_sql);

  explicit FeatureFreePipeline(const FeatureFreeOptions& options);
  ~FeatureFreePipeline();  // stops at once

  void start();
  // Throws what a thread died of, if one did.
  void check() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
