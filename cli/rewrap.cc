// `sealpost rewrap`: encrypts the stored secrets again under the newest master key.

#include <fmt/format.h>

#include <memory>

#include "base/master_key.h"
#include "base/random.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/start_checks.h"
#include "storage/rewrapper.h"

namespace sealpost {

int rewrap(const Config& config) {
  SystemRandom random;
  const Database database(config, Database::Use::join, "rewrap", random);
  const DatabaseOptions options{.url = database.url(), .application_name = "sealpost rewrap"};
  require_schema(options);
  const auto keys = std::make_shared<MasterKeys>(database.master_key_file());
  const std::string newest = keys->newest().id;
  const RewrapReport report = Rewrapper(options, keys, random).run();
  fmt::print("{} secrets were encrypted again under master key {}\n", report.rewrapped, newest);
  if (report.unreadable.empty()) {
    fmt::print("nothing is encrypted under another key; {} may hold this one alone\n",
               database.master_key_file().string());
    return kExitOk;
  }
  for (const std::string& one : report.unreadable) {
    fmt::print(stderr, "cannot be decrypted: {}\n", one);
  }
  fmt::print(stderr, "Add the missing keys to {}, below the newest, and run this again.\n",
             database.master_key_file().string());
  return kExitFailed;
}

}  // namespace sealpost
