// Which database a command works on: the configured server, or the private one of the data
// directory, started for this process unless another process of this directory runs it already.
//
// Threads: the main thread only. Errors: std::runtime_error with the remedy.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "cli/config.h"
#include "cli/embedded_postgres.h"

namespace sealpost {

class Database {
 public:
  enum class Use {
    own,   // the data directory is ours alone (serve)
    join,  // use the PostgreSQL that runs there, or run it for as long as we need it
  };

  Database(const Config& config, Use use, const std::string& holder, Random& random);

  const std::string& url() const { return url_; }
  bool is_embedded() const { return embedded_; }

  // The configured file, or the one beside the private PostgreSQL; empty for a command that needs
  // none.
  std::filesystem::path master_key_file() const { return master_key_file_; }

  // Call every now and then: keeps a PostgreSQL of ours running.
  void supervise(MonotonicTime now);
  // Stops it; everything that is connected must be gone. The destructor does the same.
  void close();

 private:
  std::optional<EmbeddedPostgres> postgres_;
  bool embedded_ = false;
  std::string url_;
  std::filesystem::path master_key_file_;
};

}  // namespace sealpost
