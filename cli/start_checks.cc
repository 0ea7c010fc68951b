#include "cli/start_checks.h"

#include <chrono>
#include <stdexcept>
#include <string>

#include "base/log.h"
#include "dispatcher/file_limit.h"
#include "storage/migrator.h"
#include "storage/pg_session.h"

namespace sealpost {
namespace {

constexpr std::chrono::seconds kMaxClockDifference{5};

constexpr PgStatement kServerFacts{
    "start_checks",
    "SELECT current_setting('fsync'), current_setting('full_page_writes'), "
    "current_setting('synchronous_commit'),"
    " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"};

void warn_if_off(const char* setting, const std::string& value) {
  if (value != "off") return;
  log_warn("database.not_durable",
           {{"setting", setting},
            {"value", value},
            {"remedy", "turn it on; a crash of the server can lose committed events"}});
}

}  // namespace

void require_schema(const DatabaseOptions& database) {
  const SchemaCheck check = Migrator(database).check_schema();
  if (!check.ok) throw std::runtime_error(check.problem);
}

void warn_about_server(const DatabaseOptions& database, const Clock& clock) {
  PgSession session(database);
  const PgRows facts = session.query(kServerFacts);
  warn_if_off("fsync", facts.text(0, 0));
  warn_if_off("full_page_writes", facts.text(0, 1));
  warn_if_off("synchronous_commit", facts.text(0, 2));
  const auto difference = std::chrono::abs(clock.wall_now() - facts.time(0, 3));
  if (difference > kMaxClockDifference) {
    log_warn("clock.differs", {{"seconds", std::chrono::duration<double>(difference).count()},
                               {"remedy",
                                "synchronize this machine and the database server with NTP; "
                                "receivers refuse old signatures"}});
  }
}

void raise_file_limit(int max_in_flight) {
  const auto too_few = raise_open_file_limit(open_files_needed(max_in_flight));
  if (!too_few) return;
  log_warn("file_limit.low",
           {{"limit", too_few->allowed},
            {"needed", too_few->needed},
            {"remedy",
             "raise the hard limit (ulimit -Hn, LimitNOFILE= of the systemd unit) or lower "
             "SEALPOST_MAX_IN_FLIGHT"}});
}

}  // namespace sealpost
