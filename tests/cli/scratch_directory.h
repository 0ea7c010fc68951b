// A directory of a test's own below /tmp, where also the system user "postgres" may go. Removed at
// the end.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace sealpost {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = "/tmp/sealpost-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    std::filesystem::permissions(path_ / name, std::filesystem::perms(0600));
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace sealpost
