#include "bench/cpu_time.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace sealpost {
namespace {

struct Process {
  pid_t parent = 0;
  long ticks = 0;  // own, and of children that were waited for
};

// /proc/PID/stat: "PID (NAME) STATE PARENT …", the times are fields 14 to 17. NAME may hold
// anything.
std::optional<Process> read_process(const std::string& pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  Process process;
  fields >> skipped >> process.parent;
  for (int field = 5; field <= 13; ++field) fields >> skipped;
  for (int field = 14; field <= 17; ++field) {
    long ticks = 0;
    fields >> ticks;
    process.ticks += ticks;
  }
  return process;
}

}  // namespace

std::chrono::microseconds cpu_time(pid_t pid) {
  const auto own = read_process(std::to_string(pid));
  if (!own) return {};
  const long tick_us = 1'000'000 / sysconf(_SC_CLK_TCK);
  std::chrono::microseconds total(own->ticks * tick_us);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto process = read_process(name);
    if (process && process->parent == pid) total += cpu_time(std::stoi(name));
  }
  return total;
}

}  // namespace sealpost
