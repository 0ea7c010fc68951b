// A lock on a file that lasts as long as its holder's process, however that ends. Advisory, on
// local file systems (flock).
//
// Threads: belongs to one thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace sealpost {

class FileLock {
 public:
  // nullopt: somebody else holds it. `holder` is written into the file, for read_holder(). Throws
  // std::runtime_error when the file cannot be opened.
  static std::optional<FileLock> try_take(const std::filesystem::path& file,
                                          const std::string& holder);
  // What the present or last holder wrote.
  static std::string read_holder(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace sealpost
