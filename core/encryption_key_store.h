// Where receivers' encryption keys live, as operators manage them.
//
// A key applies to one endpoint (its own key), or to all of a tenant's endpoints that have
// encryption enabled and no key of their own: the two are its *scope*. Within a scope one key is
// primary: the one that was made so last, else the oldest. Every change reaches the dispatchers as
// a new version of the endpoints that it concerns.
//
// Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/encryption_key.h"
#include "core/endpoint_store.h"

namespace sealpost {

struct StoredEncryptionKey {
  EncryptionKey key;
  std::string tenant;
  std::optional<EndpointId> endpoint_id;  // nullopt: the tenant's
  std::string label;
  bool primary = false;
  WallTime created_at;
};

struct NewEncryptionKey {
  std::optional<std::string> tenant;  // nullopt: that of the endpoint, which must be named then
  std::optional<EndpointId> endpoint_id;
  std::string public_key;  // 32 bytes, usable
  std::string label;
};

// `tenant` limits what can be seen and touched, as in EndpointStore.
class EncryptionKeyStore {
 public:
  virtual ~EncryptionKeyStore() = default;

  enum class Refusal {
    endpoint_not_found,
    exists,    // the scope has this key already
    too_many,  // the scope has kMaxEncryptionKeys
  };
  virtual std::variant<StoredEncryptionKey, Refusal> add(const NewEncryptionKey& key) = 0;
  virtual std::optional<StoredEncryptionKey> get(const std::optional<std::string>& tenant,
                                                 const EncryptionKeyId& id) = 0;
  virtual Page<StoredEncryptionKey> list(const std::optional<std::string>& tenant,
                                         const PageRequest& page) = 0;
  // last_key: an endpoint with encryption enabled would be left without any key; nothing changed.
  enum class RemoveResult { removed, not_found, last_key };
  virtual RemoveResult remove(const std::optional<std::string>& tenant,
                              const EncryptionKeyId& id) = 0;
  // Removes all keys of a scope but the newest; their ids.
  virtual std::vector<EncryptionKeyId> remove_old(const std::string& tenant,
                                                  const std::optional<EndpointId>& endpoint_id) = 0;
  // False: there is no such key.
  virtual bool make_primary(const std::optional<std::string>& tenant,
                            const EncryptionKeyId& id) = 0;
};

}  // namespace sealpost
