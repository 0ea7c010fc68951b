// `sealpost migrate`: brings the schema up to date, or tells what would be done.

#include <fmt/format.h>

#include "base/random.h"
#include "cli/captured_request.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "storage/migrator.h"

namespace sealpost {
namespace {

int apply(Migrator& migrator) {
  const ApplyResult result = migrator.apply();
  for (const std::string& name : result.applied) fmt::print("applied {}\n", name);
  for (const std::string& name : result.partitions) fmt::print("made partition {}\n", name);
  if (!result.note.empty()) fmt::print(stderr, "sealpost: {}\n", result.note);
  if (result.applied.empty()) fmt::print("nothing to apply, the schema is up to date\n");
  return kExitOk;
}

// Exit 1 when something is pending, so that a script can ask.
int print_status(Migrator& migrator) {
  bool current = true;
  for (const MigrationState& state : migrator.status()) {
    std::string note = state.applied_at ? "applied " + rfc3339_utc(*state.applied_at) : "pending";
    if (state.changed_since) note += ", but the file has changed since";
    if (state.unknown) note += ", by a newer sealpost";
    fmt::print("{:04} {}: {}\n", state.version, state.name, note);
    current = current && state.applied_at && !state.changed_since;
  }
  return current ? kExitOk : kExitFailed;
}

int print_plan(Migrator& migrator) {
  const std::string sql = migrator.plan();
  if (sql.empty()) fmt::print(stderr, "nothing to apply, the schema is up to date\n");
  fmt::print("{}", sql);
  return kExitOk;
}

}  // namespace

int migrate(const Config& config, MigrateAction action) {
  SystemRandom random;
  const Database database(config, Database::Use::join, "migrate", random);
  Migrator migrator({.url = database.url(), .application_name = "sealpost migrate"});
  switch (action) {
    case MigrateAction::apply:
      return apply(migrator);
    case MigrateAction::status:
      return print_status(migrator);
    case MigrateAction::plan:
      return print_plan(migrator);
  }
  return kExitFailed;
}

}  // namespace sealpost
