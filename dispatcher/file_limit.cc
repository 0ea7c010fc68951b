#include "dispatcher/file_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/limits.h"

namespace sealpost {

std::size_t open_files_needed(int max_in_flight) {
  // As many again for kept connections and lookups of names; a kept one per share of receivers;
  // and for databases, the API, logs.
  constexpr std::size_t kOthers = 256 + kReceiverShares;
  return 2 * static_cast<std::size_t>(max_in_flight) + kOthers;
}

std::optional<std::string> raise_open_file_limit(std::size_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::string("the limit of open files cannot be read: ") + std::strerror(errno);
  }
  if (limit.rlim_cur >= needed) return std::nullopt;
  rlimit raised = limit;
  raised.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0 && raised.rlim_cur >= needed) return std::nullopt;
  return "this process may open " + std::to_string(raised.rlim_cur) + " files and needs " +
         std::to_string(needed) + ": raise the hard limit (ulimit -Hn, LimitNOFILE= of the " +
         "systemd unit) or lower SEALPOST_MAX_IN_FLIGHT";
}

}  // namespace sealpost
