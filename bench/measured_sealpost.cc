#include "bench/measured_sealpost.h"

#include <stdexcept>

#include "bench/cpu_time.h"

namespace sealpost {

MeasuredSealpost::MeasuredSealpost(DurablePostgres& postgres,
                                   const std::filesystem::path& directory,
                                   const std::vector<std::string>& endpoint_urls)
    : postgres_(postgres),
      url_(postgres.create_migrated_database()),
      database_(url_),
      installation_(url_, directory) {
  installation_.create_endpoints(endpoint_urls);
}

MeasuredSealpost::~MeasuredSealpost() { postgres_.drop_database(url_); }

std::chrono::microseconds MeasuredSealpost::cpu() const {
  if (!installation_.is_running()) return std::chrono::microseconds(0);
  return cpu_time(installation_.pid());
}

bool MeasuredSealpost::has_taken_all() {
  if (!installation_.is_running()) throw std::runtime_error("sealpost serve ended");
  return database_.value("SELECT NOT EXISTS (SELECT FROM sealpost.intake)") == "t";
}

bool MeasuredSealpost::is_settled() {
  if (!installation_.is_running()) throw std::runtime_error("sealpost serve ended");
  return database_.value("SELECT NOT EXISTS (SELECT FROM sealpost.deliveries)") == "t";
}

void MeasuredSealpost::verify(std::int64_t deliveries) {
  installation_.stop();
  expect_count(database_, "sealpost.intake", 0);
  expect_count(database_, "sealpost.deliveries", 0);
  expect_count(database_, "sealpost.dead_letters", 0);
  expect_count(database_, "sealpost.delivery_history WHERE state = 'delivered'", deliveries);
  expect_count(database_, "sealpost.attempts WHERE status_code = 200", deliveries);
}

}  // namespace sealpost
