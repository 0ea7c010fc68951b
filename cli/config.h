// The program's settings: flag > environment SEALPOST_… > TOML file > default.
//
// All mistakes are found before anything is refused, and each says where it is and what to do. The
// table of settings is cli/options.h.
//
// Threads: free functions are safe from any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret_text.h"
#include "core/address_policy.h"

namespace sealpost {

struct Config {
  std::optional<SecretText> database_url;  // none: embedded PostgreSQL. It may hold a password
  std::filesystem::path data_dir;          // absolute
  std::string listen;
  std::string metrics_listen;
  std::optional<std::filesystem::path> master_key_file;
  std::vector<IpRange> allow_ranges;
  bool allow_http = false;
  std::optional<SecretText> egress_proxy;  // may hold a password
  int max_in_flight = 0;
  std::chrono::seconds lease{0};
  std::optional<std::string> instance;  // none: see cli/instance_lock.h
  Milliseconds poll{0};
  std::string default_profile;
  std::chrono::seconds drain{0};
  std::chrono::days retention{0};
  std::optional<std::filesystem::path> ca_file;
  std::optional<std::string> webhook_origin;  // a DNS name
  std::optional<std::string> public_url;      // without a slash at the end
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::json;

  // Every setting with its value and where it came from, in one line without secrets.
  std::string summary;
};

struct ConfigSources {
  std::map<std::string, std::string> flags{};        // option name ("lease_seconds") to text
  std::map<std::string, std::string> environment{};  // whole; only SEALPOST_… is looked at
  std::optional<std::filesystem::path> file{};       // --config; else SEALPOST_CONFIG
  bool stderr_is_terminal = false;
  bool needs_master_key = false;  // the command reads or writes secrets
};

// what() has one line per mistake.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<std::string> mistakes);
  const std::vector<std::string>& mistakes() const { return mistakes_; }

 private:
  std::vector<std::string> mistakes_;
};

// Throws ConfigError.
Config load_config(const ConfigSources& sources);

// This process's environment.
std::map<std::string, std::string> read_environment();

}  // namespace sealpost
