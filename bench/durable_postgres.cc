#include "bench/durable_postgres.h"

#include <fstream>

#include "bench/database.h"

namespace sealpost {

DurablePostgres::DurablePostgres(const std::vector<std::string>& settings)
    : admin_url_(cluster_.create_empty_database()) {
  {
    Database database(admin_url_);
    // Checkpoints happen between rounds, when asked for; one in the middle would hit one side only.
    for (const char* setting :
         {"fsync = on", "synchronous_commit = on", "full_page_writes = on",
          "shared_buffers = '512MB'", "max_wal_size = '16GB'", "checkpoint_timeout = '30min'"}) {
      database.run(std::string("ALTER SYSTEM SET ") + setting);
    }
    for (const auto& setting : settings) database.run("ALTER SYSTEM SET " + setting);
  }
  cluster_.stop();
  cluster_.start();
  Database database(admin_url_);
  std::ifstream(database.value("SHOW data_directory") + "/postmaster.pid") >> pid_;
}

void DurablePostgres::checkpoint() { Database(admin_url_).run("CHECKPOINT"); }

void DurablePostgres::drop_database(const std::string& url) {
  const std::string name = Database(url).value("SELECT quote_ident(current_database())");
  Database(admin_url_).run("DROP DATABASE " + name + " WITH (FORCE)");
}

}  // namespace sealpost
