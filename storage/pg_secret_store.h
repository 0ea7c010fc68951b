// core/secret_store.h on PostgreSQL. Every change locks the endpoint's row, so that two rotations
// come one after the other, and raises the endpoint's version, so that dispatchers load it again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/secret_store.h"
#include "storage/pg_session.h"
#include "storage/sealer.h"

namespace sealpost {

class PgSecretStore final : public SecretStore {
 public:
  // `random` must outlive the store.
  PgSecretStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys, Random& random);

  std::variant<RotatedSecrets, SecretRefusal> rotate(const std::optional<std::string>& tenant,
                                                     const EndpointId& endpoint,
                                                     int expected_version,
                                                     const SecretRotation& rotation) override;
  std::variant<std::vector<SecretRecord>, SecretRefusal> activate(
      const std::optional<std::string>& tenant, const EndpointId& endpoint) override;
  std::variant<std::vector<SecretRecord>, SecretRefusal> revoke_previous(
      const std::optional<std::string>& tenant, const EndpointId& endpoint) override;
  std::variant<std::vector<SecretRecord>, SecretRefusal> list(
      const std::optional<std::string>& tenant, const EndpointId& endpoint) override;

 private:
  // Runs `sql` on the endpoint's older secret, which must be valid, and returns the list after it.
  std::variant<std::vector<SecretRecord>, SecretRefusal> change_during_grace(
      const std::optional<std::string>& tenant, const EndpointId& endpoint, const std::string& sql);
  // The endpoint's version, locked until the end of the transaction; nullopt: there is none.
  static std::optional<int> lock(PgTransaction& transaction,
                                 const std::optional<std::string>& tenant,
                                 const EndpointId& endpoint);
  static std::vector<SecretRecord> records(PgTransaction& transaction, const EndpointId& endpoint);

  PgSession session_;
  Sealer sealer_;
};

}  // namespace sealpost
