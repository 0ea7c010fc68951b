// The key under which secrets are stored. 32 random bytes, as base64 in a file that only its owner
// may read. The key's id (first 16 hex digits of SHA-256 over the key) is stored beside each
// ciphertext, so that a wrong file is told from a damaged row.
#pragma once

#include <filesystem>
#include <string>

#include "base/random.h"
#include "base/secret_text.h"

namespace sealpost {

struct MasterKey {
  SecretText key;  // 32 bytes
  std::string id;
};

// Throws std::runtime_error with the remedy: missing, not exactly 32 bytes of base64, or readable
// by others.
MasterKey load_master_key(const std::filesystem::path& file);

// Writes a new one with mode 0600; throws if the file exists.
void create_master_key(const std::filesystem::path& file, Random& random);

}  // namespace sealpost
