// Sealpost as a user has it, for benchmarks: the real binary, a migrated database, a master key in
// a file, endpoints made through the admin API, events inserted by SQL.
//
// Threads: an instance belongs to one thread. Errors: std::runtime_error with what the program
// wrote.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sealpost_process.h"

namespace sealpost {

class SealpostInstallation final {
 public:
  // `database_url` names a migrated database; `directory` is made anew and gets the
  // master key.
  SealpostInstallation(std::string database_url, std::filesystem::path directory);

  // Checks endpoints' certificates against this file from the next start on.
  void trust(const std::string& ca_file) { environment_["SEALPOST_CA_FILE"] = ca_file; }

  // Endpoint n takes events of type "bench.event_n". Today's partitions are there afterwards.
  void create_endpoints(const std::vector<std::string>& urls);
  // Event n goes to endpoint n modulo `endpoints`. `payload_sql` is an expression over the number
  // n.
  void insert_events(int events, int endpoints, const std::string& payload_sql);

  // Starts `sealpost serve`; it may deliver before wait_until_ready() returns.
  void start();
  void wait_until_ready();
  bool is_running() const;
  pid_t pid() const { return serve_->pid(); }
  // Drains and stops it; throws unless it exits with 0.
  void stop();

 private:
  CommandOptions command(std::vector<std::string> arguments) const;
  void wait_for_partitions() const;

  std::string database_url_;
  std::filesystem::path directory_;
  std::map<std::string, std::string> environment_;
  std::optional<SealpostProcess> serve_;
};

}  // namespace sealpost
