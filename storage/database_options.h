// Which database, for everything in storage/. Each store makes a connection of its own from it.
#pragma once

#include <string>

namespace sealpost {

struct DatabaseOptions {
  std::string url;  // libpq URI or key=value text, several hosts allowed; may carry a password
  std::string application_name = "sealpost";  // seen in pg_stat_activity
};

}  // namespace sealpost
