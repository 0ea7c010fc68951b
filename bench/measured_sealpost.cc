#include "bench/measured_sealpost.h"

#include <stdexcept>

namespace sealpost {

MeasuredSealpost::MeasuredSealpost(DurablePostgres& postgres,
                                   const std::filesystem::path& directory,
                                   const std::vector<NewEndpoint>& endpoints)
    : postgres_(postgres),
      url_(postgres.create_migrated_database()),
      database_(url_),
      installation_(url_, directory) {
  installation_.create_endpoints(endpoints);
}

MeasuredSealpost::~MeasuredSealpost() { postgres_.drop_database(url_); }

bool MeasuredSealpost::has_taken_all() {
  if (!installation_.is_running()) throw std::runtime_error("sealpost ended");
  return database_.value("SELECT NOT EXISTS (SELECT FROM sealpost.intake)") == "t";
}

bool MeasuredSealpost::is_settled() {
  if (!installation_.is_running()) throw std::runtime_error("sealpost ended");
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
