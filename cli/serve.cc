// `sealpost serve`: the small installation, everything in one process.

#include "cli/commands.h"
#include "cli/service.h"

namespace sealpost {

int serve(const Config& config) {
  return run_service(
      config, {.name = "serve", .dispatcher = true, .admin_api = true, .owns_database = true});
}

}  // namespace sealpost
