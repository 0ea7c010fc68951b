// Where the private PostgreSQL's programs and directories are, and whose they are.
#pragma once

#include <filesystem>
#include <optional>

#include "cli/child_process.h"

namespace sealpost {

// The directory with initdb and postgres: the newest under /usr/lib/postgresql (Debian, Ubuntu),
// else what pg_config says, else the PATH. Throws std::runtime_error saying what to install.
std::filesystem::path postgres_binaries();

// Makes the data directory: mode 0700, or 0711 when PostgreSQL runs as another user, who must pass
// through it. Throws std::runtime_error when that user cannot reach it.
void make_data_directory(const std::filesystem::path& directory,
                         const std::optional<SystemUser>& user);

// Mode 0700, and `user` the owner if given.
void own_directory(const std::filesystem::path& directory, const std::optional<SystemUser>& user);

// "run" in the data directory; but a socket's path has at most 107 bytes, so below XDG_RUNTIME_DIR
// or /tmp, named after the data directory, when that is too long.
std::filesystem::path make_socket_directory(const std::filesystem::path& data_dir,
                                            const std::optional<SystemUser>& user);

}  // namespace sealpost
