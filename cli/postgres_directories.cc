#include "cli/postgres_directories.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

namespace sealpost {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxSocketPath = 107;  // sun_path without its final NUL
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";

bool has_postgres(const fs::path& directory) {
  return access((directory / "initdb").c_str(), X_OK) == 0 &&
         access((directory / "postgres").c_str(), X_OK) == 0;
}

std::optional<fs::path> newest_packaged() {
  std::error_code error;
  std::optional<fs::path> best;
  int best_version = 0;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= best_version || !has_postgres(entry.path() / "bin")) continue;
    best = entry.path() / "bin";
    best_version = version;
  }
  return best;
}

std::optional<fs::path> from_pg_config() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen("pg_config --bindir 2>/dev/null", "re"),
                                                   pclose);
  char line[512];
  if (!pipe || std::fgets(line, sizeof line, pipe.get()) == nullptr) return std::nullopt;
  fs::path directory(std::string(line, std::strcspn(line, "\n")));
  return has_postgres(directory) ? std::optional(directory) : std::nullopt;
}

std::optional<fs::path> from_path() {
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const fs::path directory(rest.substr(0, colon));
    if (has_postgres(directory)) return directory;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return std::nullopt;
}

// Asked as that user, because only the kernel knows all the rules.
bool can_enter(const SystemUser& user, const fs::path& directory) {
  const pid_t child = fork();
  if (child == 0) {
    const bool entered =
        setgid(user.gid) == 0 && setuid(user.uid) == 0 && access(directory.c_str(), X_OK) == 0;
    _exit(entered ? 0 : 1);
  }
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A directory below /tmp may have been put there by somebody else.
void require_ours(const fs::path& directory, uid_t owner) {
  struct stat found {};
  if (lstat(directory.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != owner) {
    throw std::runtime_error(fmt::format(
        "{} belongs to somebody else. Remove it, or set SEALPOST_DATA_DIR to a shorter path "
        "(at most {} bytes)",
        directory.string(), kMaxSocketPath - kSocketName.size() - 4));
  }
}

}  // namespace

fs::path postgres_binaries() {
  if (const auto found = newest_packaged()) return *found;
  if (const auto found = from_pg_config()) return *found;
  if (const auto found = from_path()) return *found;
  throw std::runtime_error(
      "no PostgreSQL server is installed here (looked in /usr/lib/postgresql, pg_config --bindir "
      "and PATH). Install it "
      "(apt-get install postgresql), or set SEALPOST_DATABASE_URL to a server elsewhere");
}

void make_data_directory(const fs::path& directory, const std::optional<SystemUser>& user) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error) {
    const auto mode = user ? fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec
                           : fs::perms::owner_all;
    fs::permissions(directory, mode, error);
  }
  if (error) {
    throw std::runtime_error(fmt::format(
        "cannot make the data directory {}: {}. Set SEALPOST_DATA_DIR to a directory that this "
        "user may write to",
        directory.string(), error.message()));
  }
  if (user && !can_enter(*user, directory)) {
    throw std::runtime_error(fmt::format(
        "PostgreSQL runs as the user {}, who cannot reach {}. Set SEALPOST_DATA_DIR to a directory "
        "that everybody may pass through, for instance /var/lib/sealpost",
        user->name, directory.string()));
  }
}

void own_directory(const fs::path& directory, const std::optional<SystemUser>& user) {
  fs::permissions(directory, fs::perms::owner_all);
  if (user && chown(directory.c_str(), user->uid, user->gid) != 0) {
    throw std::runtime_error(fmt::format("cannot give {} to {}: {}. Use a local file system",
                                         directory.string(), user->name, std::strerror(errno)));
  }
}

fs::path make_socket_directory(const fs::path& data_dir, const std::optional<SystemUser>& user) {
  fs::path directory = data_dir / "run";
  const uid_t owner = user ? user->uid : geteuid();
  if (directory.string().size() + kSocketName.size() > kMaxSocketPath) {
    const char* runtime = user ? nullptr : std::getenv("XDG_RUNTIME_DIR");
    const std::string name = hex_encode(sha256(data_dir.string())).substr(0, 16);
    directory = fs::path(runtime == nullptr ? "/tmp" : runtime) /
                fmt::format("sealpost-{}-{}", owner, name);
    if (fs::exists(fs::symlink_status(directory))) require_ours(directory, owner);
  }
  fs::create_directory(directory);
  own_directory(directory, user);
  require_ours(directory, owner);
  return directory;
}

}  // namespace sealpost
