// Sealpost as a user has it, for benchmarks: the real binary, a migrated database, a master key in
// a file, endpoints made through the admin API.
//
// Threads: an instance belongs to one thread. Errors: std::runtime_error with what the program
// wrote.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "tests/support/sealpost_process.h"

namespace sealpost {

struct NewEndpoint {
  std::string url;
  std::string event_type;
  std::string tenant = "default";
};

// Endpoint n takes events of type "bench.event_n".
std::vector<NewEndpoint> endpoints_at(const std::vector<std::string>& urls);

class SealpostInstallation final {
 public:
  // `database_url` names a migrated database; `directory` is made anew and gets the
  // master key.
  SealpostInstallation(std::string database_url, std::filesystem::path directory);

  // A setting by its variable, from the next start on: "SEALPOST_CA_FILE".
  void set(const std::string& variable, const std::string& value) {
    environment_[variable] = value;
  }

  // Today's partitions are there afterwards.
  void create_endpoints(const std::vector<NewEndpoint>& endpoints);

  // Starts `sealpost serve`; it may deliver before wait_until_ready() returns.
  void start();
  // Starts so many `sealpost dispatcher` instead.
  void start_dispatchers(int processes);
  void wait_until_ready();
  bool is_running() const;                                              // all of them
  int metrics_port() const { return running_.front().metrics_port(); }  // once it is ready
  // CPU time and resident memory of all of them; zero if none runs.
  std::chrono::microseconds cpu() const;
  std::int64_t resident_bytes() const;
  // Drains and stops them; throws unless each exits with 0.
  void stop();

 private:
  CommandOptions command(std::vector<std::string> arguments) const;
  void wait_for_partitions() const;
  void commit_durably(bool durably) const;  // holds for new connections

  std::string database_url_;
  std::filesystem::path directory_;
  std::map<std::string, std::string> environment_;
  std::list<SealpostProcess> running_;
};

}  // namespace sealpost
