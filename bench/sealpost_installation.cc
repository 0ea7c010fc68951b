#include "bench/sealpost_installation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/master_key.h"
#include "base/random.h"
#include "bench/cpu_time.h"
#include "bench/database.h"
#include "bench/resident_memory.h"
#include "bench/wait_for.h"
#include "tests/support/api_client.h"

namespace sealpost {

std::vector<NewEndpoint> endpoints_at(const std::vector<std::string>& urls) {
  std::vector<NewEndpoint> endpoints;
  for (const auto& url : urls) {
    endpoints.push_back(
        {.url = url, .event_type = fmt::format("bench.event_{}", endpoints.size())});
  }
  return endpoints;
}

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

void SealpostInstallation::create_endpoints(const std::vector<NewEndpoint>& endpoints) {
  const auto created = run_sealpost(command({"token", "create", "--role", "admin"}));
  if (!created.succeeded()) throw std::runtime_error("token create: " + created.errors);
  const auto token = created.output.substr(0, created.output.find('\n'));
  // Nobody would miss them after a crash.
  commit_durably(false);
  start();
  wait_until_ready();
  {
    ApiClient api(running_.front().api_port(), token);
    for (const NewEndpoint& endpoint : endpoints) {
      api.make("/v1/webhook-endpoints", {{"tenant", endpoint.tenant},
                                         {"url", endpoint.url},
                                         {"enabled_events", {endpoint.event_type}}});
    }
  }
  wait_for_partitions();
  stop();
  commit_durably(true);
}

void SealpostInstallation::commit_durably(bool durably) const {
  Database database(database_url_);
  const std::string name = database.value("SELECT quote_ident(current_database())");
  database.run("ALTER DATABASE " + name +
               (durably ? " RESET synchronous_commit" : " SET synchronous_commit = off"));
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

void SealpostInstallation::start() { running_.emplace_back(command({"serve"})); }

void SealpostInstallation::start_dispatchers(int processes) {
  for (int i = 0; i < processes; ++i) running_.emplace_back(command({"dispatcher"}));
}

void SealpostInstallation::wait_until_ready() {
  for (SealpostProcess& process : running_) {
    if (!process.wait_until_ready()) throw std::runtime_error("sealpost: " + process.errors());
  }
}

bool SealpostInstallation::is_running() const {
  return !running_.empty() && std::ranges::none_of(running_, [](const SealpostProcess& process) {
    return process.wait_exit(std::chrono::milliseconds(0)).has_value();
  });
}

std::chrono::microseconds SealpostInstallation::cpu() const {
  std::chrono::microseconds sum{0};
  for (const SealpostProcess& process : running_) sum += cpu_time(process.pid());
  return sum;
}

std::int64_t SealpostInstallation::resident_bytes() const {
  std::int64_t sum = 0;
  for (const SealpostProcess& process : running_) sum += sealpost::resident_bytes(process.pid());
  return sum;
}

void SealpostInstallation::stop() {
  for (SealpostProcess& process : running_) process.terminate();
  for (const SealpostProcess& process : running_) {
    const auto exit = process.wait_exit(std::chrono::seconds(40));
    if (!exit || exit->code != 0) throw std::runtime_error("sealpost: " + process.errors());
  }
  running_.clear();
}

}  // namespace sealpost
