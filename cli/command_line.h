// The command line: what was asked for, and with which settings.
#pragma once

#include <functional>
#include <optional>

#include "cli/commands.h"
#include "cli/config.h"

namespace sealpost {

// Parses the arguments and runs the command. Returns the exit code. Prints help, the version and
// usage errors itself; a ConfigError and everything else a command throws passes through.
int run_command_line(int argc, char** argv);

}  // namespace sealpost
