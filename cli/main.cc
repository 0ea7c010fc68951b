// The program. Everything it can do is in cli/commands.h.

#include <fmt/format.h>

#include <exception>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/config.h"

int main(int argc, char** argv) {
  try {
    return sealpost::run_command_line(argc, argv);
  } catch (const sealpost::ConfigError& e) {
    fmt::print(stderr, "sealpost: {}\n", e.what());
    return sealpost::kExitUsage;
  } catch (const std::exception& e) {
    fmt::print(stderr, "sealpost: {}\n", e.what());
    return sealpost::kExitFailed;
  }
}
