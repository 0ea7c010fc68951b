// The limit of open files: every request in flight needs a socket, every kept connection keeps one.
#pragma once

#include <cstddef>
#include <optional>

namespace sealpost {

// Files that a process with so many requests in flight may have open.
std::size_t open_files_needed(int max_in_flight);

struct TooFewOpenFiles {
  std::size_t allowed;
  std::size_t needed;
};
// Raises this process's soft limit to at least `needed`. nullopt if it is that high now, else what
// is the most that the hard limit allows. Call at start, before the connections exist.
[[nodiscard]] std::optional<TooFewOpenFiles> raise_open_file_limit(std::size_t needed);

}  // namespace sealpost
