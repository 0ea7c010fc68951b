#include "cli/database.h"

#include <stdexcept>

namespace sealpost {

Database::Database(const Config& config, Use use, const std::string& holder, Random& random)
    : embedded_(!config.database_url) {
  if (!embedded_) {
    url_ = config.database_url->reveal();
    master_key_file_ = config.master_key_file.value_or("");
    return;
  }
  master_key_file_ = config.master_key_file.value_or(config.data_dir / "master.key");
  if (use == Use::join) {
    if (const auto running = EmbeddedPostgres::url_of_running(config.data_dir)) {
      url_ = *running;
      return;
    }
  }
  postgres_.emplace(config.data_dir, holder, random);
  try {
    postgres_->start();
    url_ = postgres_->url();
  } catch (const DirectoryInUse&) {
    // A serve that was just starting when we looked is fine to join now.
    const auto running = EmbeddedPostgres::url_of_running(config.data_dir);
    if (use == Use::own || !running) throw;
    postgres_.reset();
    url_ = *running;
  }
}

void Database::supervise(MonotonicTime now) {
  if (postgres_) postgres_->supervise(now);
}

void Database::close() {
  if (postgres_) postgres_->stop();
}

}  // namespace sealpost
