// The dispatcher's name. A restarted process of the same name takes its predecessor's leases over
// at once; two running processes of one name would keep throwing each other out, so the name is
// locked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/file_lock.h"

namespace sealpost {

// What this host calls itself; "localhost" if it does not.
std::string host_name();

struct InstanceLock {
  std::string name;
  FileLock lock;
};

// Without `chosen`: "HOST:DATA_DIR", and "#2", "#3", … for further processes on the same directory;
// a process that restarts gets the lowest free number, so also the name of one that died. With
// `chosen`: that name, and std::runtime_error if a running process of this directory has it.
InstanceLock lock_instance(const std::filesystem::path& data_dir,
                           const std::optional<std::string>& chosen);

}  // namespace sealpost
