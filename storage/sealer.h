// Encrypts and decrypts what storage/sealed_columns.h lists, under the master keys.
//
// Threads: belongs to one thread; the keys may be shared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/crypto.h"
#include "base/master_key.h"
#include "base/random.h"
#include "storage/sealed_columns.h"

namespace sealpost {

class Sealer {
 public:
  // `random` must live longer.
  Sealer(std::shared_ptr<MasterKeys> keys, Random& random)
      : keys_(std::move(keys)), random_(&random) {}

  struct Sealed {
    std::string ciphertext;
    std::string key_id;
  };
  // Under the newest key.
  Sealed seal(const SealedColumn& column, std::string_view row_id, const SecretText& text) const {
    const MasterKey key = keys_->newest();
    return {.ciphertext = encrypt_at_rest(key.key, column.context(row_id), text, *random_),
            .key_id = key.id};
  }

  // nullopt: the key is not among ours, the ciphertext is another row's, or it is damaged.
  std::optional<SecretText> open(const SealedColumn& column, std::string_view row_id,
                                 std::string_view key_id, std::string_view ciphertext) const {
    const std::optional<MasterKey> key = keys_->find(key_id);
    if (!key) return std::nullopt;
    return decrypt_at_rest(key->key, column.context(row_id), ciphertext);
  }

  std::string newest_key_id() const { return keys_->newest().id; }

 private:
  std::shared_ptr<MasterKeys> keys_;
  Random* random_;
};

}  // namespace sealpost
