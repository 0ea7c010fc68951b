#include "cli/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace sealpost {

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& file,
                                           const std::string& holder) {
  // Close-on-exec: a PostgreSQL that outlives us must not keep our lock.
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    throw std::runtime_error(fmt::format(
        "cannot open the lock file {}: {}. The directory must be writable by this user; "
        "SEALPOST_DATA_DIR chooses another",
        file.string(), std::strerror(errno)));
  }
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  if (ftruncate(fd, 0) != 0 || write(fd, holder.data(), holder.size()) < 0) {
    throw std::runtime_error(
        fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
  }
  return lock;
}

std::string FileLock::read_holder(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace sealpost
