// `sealpost dispatcher`: one of any number of identical ones.

#include "cli/commands.h"
#include "cli/service.h"

namespace sealpost {

int dispatcher(const Config& config) {
  return run_service(config, {.name = "dispatcher", .dispatcher = true});
}

}  // namespace sealpost
