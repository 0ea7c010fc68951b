// What is looked at once, before a service starts: what must be right is an error, what endangers
// the promise is a warning in the log with the remedy.
#pragma once

#include "base/clock.h"
#include "storage/database_options.h"

namespace sealpost {

// Throws std::runtime_error when the schema does not fit this binary (SchemaCheck's remedy), and
// StorageError when the database cannot be reached.
void require_schema(const DatabaseOptions& database);

// Warns when a crash of the database could lose commits (fsync, full_page_writes,
// synchronous_commit off), and when its clock and ours differ by more than 5 s: signatures carry
// our time, schedules run by the database's.
void warn_about_server(const DatabaseOptions& database, const Clock& clock);

// Raises the limit of open files (dispatcher/file_limit.h); warns when it stays too low for
// `max_in_flight` requests.
void raise_file_limit(int max_in_flight);

}  // namespace sealpost
