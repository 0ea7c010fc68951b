#include "dispatcher/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "core/limits.h"

namespace sealpost {

std::size_t open_files_needed(int max_in_flight) {
  // As many again for kept connections and lookups of names; a kept one per share of receivers;
  // and for databases, the API, logs.
  constexpr std::size_t kOthers = 256 + kReceiverShares;
  return 2 * static_cast<std::size_t>(max_in_flight) + kOthers;
}

std::optional<TooFewOpenFiles> raise_open_file_limit(std::size_t needed) {
  rlimit limit{};  // stays 0 if it cannot be read, and then we say so
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return std::nullopt;
  rlimit raised = limit;
  raised.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  if (limit.rlim_cur >= needed) return std::nullopt;
  return TooFewOpenFiles{.allowed = limit.rlim_cur, .needed = needed};
}

}  // namespace sealpost
