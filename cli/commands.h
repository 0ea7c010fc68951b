// The subcommands. Each returns the process's exit code; mistakes of the configuration are found
// before. Data goes to stdout, everything else to stderr.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/config.h"

namespace sealpost {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;  // the command line or the configuration is wrong

int serve(const Config& config);
int dispatcher(const Config& config);
int admin_api(const Config& config);

enum class MigrateAction { apply, status, plan };
int migrate(const Config& config, MigrateAction action);

// Encrypts everything that is stored under an older master key again, under the newest.
int rewrap(const Config& config);

struct TokenRequest {
  std::string role;
  std::optional<std::string> tenant;
  std::string name;
};
int token_create(const Config& config, const TokenRequest& request);

struct ListenOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0 picks a free one
  std::optional<std::string> secret;
  std::optional<std::filesystem::path> secret_file;
  std::optional<std::string> profile;  // a preset's name or a file; by default known by headers
  std::optional<std::filesystem::path> private_key;
  int status = 200;
  bool json = false;
};
int listen(const ListenOptions& options);

struct VerifyOptions {
  std::filesystem::path secret_file;
  std::optional<std::filesystem::path> private_key;
  std::optional<std::filesystem::path> headers;  // both or none: then a raw request from stdin
  std::optional<std::filesystem::path> body;
  std::optional<std::string> profile;  // as above
  std::optional<std::string> url;      // by default https://, the Host header and the request line
  std::string at = "now";
  std::chrono::seconds tolerance{300};
};
int verify(const VerifyOptions& options);

enum class HealthQuestion { live, ready };
// `address`: HOST:PORT of the listener to ask.
int healthcheck(const std::string& address, HealthQuestion question);

}  // namespace sealpost
