// The key under which secrets are stored. 32 random bytes, as base64 in a file that only its owner
// may read. A key's id (first 16 hex digits of SHA-256 over the key) is stored beside each
// ciphertext, so that a wrong file is told from a damaged row.
//
// While the key is being changed the file has several, one a line: the first is the one to encrypt
// under, all of them decrypt. Running processes notice the change by themselves (MasterKeys).
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

inline constexpr std::size_t kMaxMasterKeys = 8;

struct MasterKey {
  SecretText key;  // 32 bytes
  std::string id;
};

// The file's keys in its order, at least one. Throws std::runtime_error with the remedy: missing,
// not exactly 32 bytes of base64 a line, too many, or readable by others.
std::vector<MasterKey> load_master_keys(const std::filesystem::path& file);

// Writes a new one with mode 0600; throws if the file exists.
void create_master_key(const std::filesystem::path& file, Random& random);

// The keys of one file, as it is now: read again when it was replaced. A file that has become
// unusable is logged, and the keys that are known stay in use.
//
// Threads: safe from any.
class MasterKeys {
 public:
  // Throws like load_master_keys().
  explicit MasterKeys(std::filesystem::path file);
  // Some that never change, the newest first; for tests.
  explicit MasterKeys(std::vector<MasterKey> keys) : keys_(std::move(keys)) {}

  // The one to encrypt under. Looks at the file, so that nothing is encrypted under a key that is
  // on its way out.
  MasterKey newest();
  // Looks at the file if the key is not known.
  std::optional<MasterKey> find(std::string_view id);

 private:
  // What changes when a file is replaced or written.
  struct Stamp {
    std::uintmax_t inode = 0;
    std::uintmax_t size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  Stamp stamp_now() const;
  void read_again_if_changed();

  const std::filesystem::path file_;  // empty: never changes
  std::mutex mutex_;
  Stamp stamp_;
  std::vector<MasterKey> keys_;
};

}  // namespace sealpost
