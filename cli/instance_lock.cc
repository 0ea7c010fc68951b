#include "cli/instance_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "base/bytes.h"
#include "base/hash.h"

namespace sealpost {
namespace {

constexpr int kMaxProcesses = 100;  // of one data directory

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

InstanceLock lock_instance(const std::filesystem::path& data_dir,
                           const std::optional<std::string>& chosen) {
  std::error_code error;
  std::filesystem::create_directories(data_dir,
                                      error);  // opening the lock file reports what is wrong
  const std::string holder = fmt::format("pid {}", getpid());
  if (chosen) {
    const std::string hash = hex_encode(sha256(*chosen)).substr(0, 16);
    const auto file = data_dir / fmt::format("dispatcher-{}.lock", hash);
    if (auto lock = FileLock::try_take(file, holder)) return {*chosen, std::move(*lock)};
    throw std::runtime_error(
        fmt::format("a dispatcher named \"{}\" is running already ({}). Give each its own "
                    "SEALPOST_INSTANCE, or leave "
                    "it unset",
                    *chosen, FileLock::read_holder(file)));
  }
  for (int number = 1; number <= kMaxProcesses; ++number) {
    auto lock = FileLock::try_take(data_dir / fmt::format("dispatcher-{}.lock", number), holder);
    if (!lock) continue;
    std::string name = fmt::format("{}:{}", host_name(), data_dir.string());
    if (number > 1) name += fmt::format("#{}", number);
    return {std::move(name), std::move(*lock)};
  }
  throw std::runtime_error(
      fmt::format("{} dispatchers run on {} already. Use another SEALPOST_DATA_DIR", kMaxProcesses,
                  data_dir.string()));
}

}  // namespace sealpost
