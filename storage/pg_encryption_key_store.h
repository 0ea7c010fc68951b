// core/encryption_key_store.h on PostgreSQL. Public keys are no secrets and are stored as they are.
#pragma once

#include "core/encryption_key_store.h"
#include "storage/pg_session.h"

namespace sealpost {

class PgEncryptionKeyStore final : public EncryptionKeyStore {
 public:
  explicit PgEncryptionKeyStore(DatabaseOptions options) : session_(std::move(options)) {}

  std::variant<StoredEncryptionKey, Refusal> add(const NewEncryptionKey& key) override;
  std::optional<StoredEncryptionKey> get(const std::optional<std::string>& tenant,
                                         const EncryptionKeyId& id) override;
  Page<StoredEncryptionKey> list(const std::optional<std::string>& tenant,
                                 const PageRequest& request) override;
  RemoveResult remove(const std::optional<std::string>& tenant, const EncryptionKeyId& id) override;
  std::vector<EncryptionKeyId> remove_old(const std::string& tenant,
                                          const std::optional<EndpointId>& endpoint_id) override;
  bool make_primary(const std::optional<std::string>& tenant, const EncryptionKeyId& id) override;

 private:
  PgSession session_;
};

}  // namespace sealpost
