#include "bench/sealpost_installation.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/master_key.h"
#include "base/random.h"
#include "bench/database.h"
#include "bench/wait_for.h"
#include "tests/support/api_client.h"

namespace sealpost {

SealpostInstallation::SealpostInstallation(std::string database_url,
                                           std::filesystem::path directory)
    : database_url_(std::move(database_url)), directory_(std::move(directory)) {
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  const auto key_file = directory_ / "master.key";
  SystemRandom random;
  create_master_key(key_file, random);
  environment_ = {{"SEALPOST_DATABASE_URL", database_url_},
                  {"SEALPOST_MASTER_KEY_FILE", key_file.string()},
                  {"SEALPOST_ALLOW_HTTP", "true"},
                  {"SEALPOST_ALLOW_RANGES", "127.0.0.0/8"},
                  {"SEALPOST_LOG_LEVEL", "info"}};
}

CommandOptions SealpostInstallation::command(std::vector<std::string> arguments) const {
  CommandOptions options;
  options.arguments = std::move(arguments);
  options.environment = environment_;
  options.directory = directory_;
  return options;
}

void SealpostInstallation::create_endpoints(const std::vector<std::string>& urls) {
  const auto created = run_sealpost(command({"token", "create", "--role", "admin"}));
  if (!created.succeeded()) throw std::runtime_error("token create: " + created.errors);
  const auto token = created.output.substr(0, created.output.find('\n'));
  start();
  wait_until_ready();
  {
    ApiClient api(serve_->api_port(), token);
    for (std::size_t n = 0; n < urls.size(); ++n) {
      api.make("/v1/webhook-endpoints",
               {{"url", urls[n]}, {"enabled_events", {fmt::format("bench.event_{}", n)}}});
    }
  }
  wait_for_partitions();
  stop();
}

// Maintenance makes them some time after the start; rows for the default partitions cost more.
void SealpostInstallation::wait_for_partitions() const {
  Database database(database_url_);
  const auto are_there = [&] {
    return database.value(
               "SELECT bool_and(to_regclass('sealpost.' || sealpost.partition_name(parent, "
               "(now() AT TIME ZONE 'UTC')::date)) IS NOT NULL) "
               "FROM unnest('{outbox,delivery_history,other_attempts}'::text[]) parent") == "t";
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  wait_for(are_there, std::chrono::milliseconds(10), deadline);
}

void SealpostInstallation::insert_events(int events, int endpoints,
                                         const std::string& payload_sql) {
  Database(database_url_)
      .run(fmt::format("INSERT INTO sealpost.outbox (type, payload) "
                       "SELECT 'bench.event_' || n % {}, {} FROM generate_series(1, {}) n",
                       endpoints, payload_sql, events));
}

void SealpostInstallation::start() { serve_.emplace(command({"serve"})); }

void SealpostInstallation::wait_until_ready() {
  if (!serve_->wait_until_ready()) throw std::runtime_error("serve: " + serve_->errors());
}

bool SealpostInstallation::is_running() const {
  return serve_ && !serve_->wait_exit(std::chrono::milliseconds(0));
}

void SealpostInstallation::stop() {
  serve_->terminate();
  const auto exit = serve_->wait_exit(std::chrono::seconds(40));
  if (!exit || exit->code != 0) throw std::runtime_error("serve: " + serve_->errors());
  serve_.reset();
}

}  // namespace sealpost
