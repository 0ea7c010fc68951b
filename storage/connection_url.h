// Adds our defaults to a database URL: what bounds the time that a dead network can take, and the
// name that administrators see. What the URL says itself wins.
#pragma once

#include <string>

#include "storage/database_options.h"

namespace sealpost {

// A libpq connection string (URI or key=value, as options.url was).
std::string connection_string(const DatabaseOptions& options);

}  // namespace sealpost
