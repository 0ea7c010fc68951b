// The limit of open files: every request in flight needs a socket, every kept connection keeps one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace sealpost {

// Files that a process with so many requests in flight may have open.
std::size_t open_files_needed(int max_in_flight);

// Raises this process's soft limit to at least `needed`. nullopt if it is that high now; otherwise
// one sentence: what it is, and what to do. Call at start, before the connections exist.
[[nodiscard]] std::optional<std::string> raise_open_file_limit(std::size_t needed);

}  // namespace sealpost
