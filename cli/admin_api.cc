// `sealpost admin-api`: the API without sending.

#include "cli/commands.h"
#include "cli/service.h"

namespace sealpost {

int admin_api(const Config& config) {
  return run_service(config, {.name = "admin-api", .admin_api = true});
}

}  // namespace sealpost
