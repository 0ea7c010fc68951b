#include "base/master_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"

namespace sealpost {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kMaxFileBytes = 4096;  // a key takes 45; whatever is longer is another file

class FileDescriptor final {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::filesystem::path& file, std::string_view problem) {
  throw std::runtime_error(fmt::format("master key file {}: {}", file.string(), problem));
}

[[noreturn]] void fail_with_errno(const std::filesystem::path& file, std::string_view what) {
  fail(file, fmt::format("{}: {}", what, std::strerror(errno)));
}

void require_private(const std::filesystem::path& file, int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) fail_with_errno(file, "cannot be examined");
  if (!S_ISREG(status.st_mode)) fail(file, "is not a regular file");
  if ((status.st_mode & 077) != 0) {
    fail(file,
         fmt::format("other users may use it (mode {:04o}): run chmod 600 on it, and make a new "
                     "key if somebody may have read it",
                     status.st_mode & 07777));
  }
}

SecretText read_text(const std::filesystem::path& file, int fd) {
  std::string text(kMaxFileBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno(file, "cannot be read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return SecretText(std::move(text));
}

void write_all(const std::filesystem::path& file, int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno(file, "cannot be written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  // Without the key every stored secret is lost, so it must be on the disk before one is encrypted.
  if (fsync(fd) != 0) fail_with_errno(file, "cannot be synced to disk");
}

std::string_view without_trailing_space(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

MasterKey parse_key(const std::filesystem::path& file, std::string_view line) {
  std::optional<std::string> bytes = base64_decode(without_trailing_space(line));
  if (!bytes) fail(file, "is not base64: restore the file that was created with this installation");
  SecretText key(std::move(*bytes));
  if (key.size() != kKeyBytes) {
    fail(file,
         fmt::format("holds {} bytes where a key has {}: restore the file that was created with "
                     "this installation",
                     key.size(), kKeyBytes));
  }
  std::string id = hex_encode(sha256(key.reveal())).substr(0, 16);
  return {.key = std::move(key), .id = std::move(id)};
}

}  // namespace

std::vector<MasterKey> load_master_keys(const std::filesystem::path& file) {
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    fail_with_errno(file,
                    "cannot be opened (name the right file, or create a key if this "
                    "installation never had one)");
  }
  require_private(file, fd.get());
  const SecretText text = read_text(file, fd.get());
  std::string_view rest = without_trailing_space(text.reveal());
  std::vector<MasterKey> keys;
  do {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (keys.size() == kMaxMasterKeys) {
      fail(file, fmt::format("holds more than {} keys: remove those that nothing is encrypted "
                             "under any more",
                             kMaxMasterKeys));
    }
    keys.push_back(parse_key(file, line));
  } while (!rest.empty());
  return keys;
}

MasterKeys::MasterKeys(std::filesystem::path file)
    : file_(std::move(file)), stamp_(stamp_now()), keys_(load_master_keys(file_)) {}

MasterKey MasterKeys::newest() {
  const std::lock_guard lock(mutex_);
  read_again_if_changed();
  return keys_.front();
}

std::optional<MasterKey> MasterKeys::find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto known = [&] {
    return std::find_if(keys_.begin(), keys_.end(),
                        [id](const MasterKey& key) { return key.id == id; });
  };
  if (known() == keys_.end()) read_again_if_changed();
  const auto found = known();
  return found != keys_.end() ? std::optional(*found) : std::nullopt;
}

// All zero if there is no such file; load_master_keys() explains that better.
MasterKeys::Stamp MasterKeys::stamp_now() const {
  struct stat status {};
  if (stat(file_.c_str(), &status) != 0) return {};
  return {.inode = status.st_ino,
          .size = static_cast<std::uintmax_t>(status.st_size),
          .modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

// The stamp is taken first: a file that is replaced in between is read once more next time.
void MasterKeys::read_again_if_changed() {
  if (file_.empty()) return;
  const Stamp stamp = stamp_now();
  if (stamp == stamp_) return;
  stamp_ = stamp;
  try {
    keys_ = load_master_keys(file_);
    log_info("master_key.changed",
             {{"newest", keys_.front().id}, {"keys", static_cast<std::uint64_t>(keys_.size())}});
  } catch (const std::runtime_error& error) {
    log_error("master_key.unusable", {{"error", error.what()}});
  }
}

void create_master_key(const std::filesystem::path& file, Random& random) {
  const FileDescriptor fd(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) {
    fail_with_errno(file, "cannot be created (an existing key is never overwritten)");
  }
  std::array<std::byte, kKeyBytes> bytes;
  random.fill(bytes);
  const SecretText key(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  try {
    const SecretText text(base64_encode(key.reveal()) + "\n");
    write_all(file, fd.get(), text.reveal());
  } catch (...) {
    unlink(file.c_str());  // half a key would be refused at every later start
    throw;
  }
}

}  // namespace sealpost
