// An installation whose backlog is filled up and drained again and again: one database for all
// rounds, everything delivered and counted after each.
//
// Threads: an instance belongs to one thread. Errors: std::runtime_error, also if a delivery was
// lost, made twice or not recorded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench/drain_window.h"
#include "bench/durable_postgres.h"
#include "bench/fast_receiver.h"
#include "bench/measured_sealpost.h"
#include "bench/paired_rounds.h"
#include "bench/waiting_rows.h"

namespace sealpost {

struct DrainedWork {
  std::vector<NewEndpoint> endpoints;  // of the receiver
  std::string endpoint_sql;            // see waiting_rows.h
  int deliveries_per_event = 1;
  DrainWindow window;
};

class RepeatedDrain final {
 public:
  // `postgres` and `receiver` must outlive this object.
  RepeatedDrain(DurablePostgres& postgres, FastReceiver& receiver,
                const std::filesystem::path& directory, DrainedWork work);

  Database& database() { return sealpost_.database(); }
  const std::string& url() const { return sealpost_.url(); }

  // Fills up, drains with what `start` starts, and stops that.
  Measurement measure(const std::function<void(SealpostInstallation&)>& start = serve);

  static void serve(SealpostInstallation& installation) { installation.start(); }

 private:
  DurablePostgres& postgres_;
  FastReceiver& receiver_;
  DrainedWork work_;
  std::int64_t events_ = 0;
  MeasuredSealpost sealpost_;
};

}  // namespace sealpost
