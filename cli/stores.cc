#include "cli/stores.h"

#include <utility>

#include "cli/instance_lock.h"
#include "storage/pg_delivery_store.h"
#include "storage/pg_dispatcher_registry.h"
#include "storage/pg_encryption_key_store.h"
#include "storage/pg_endpoint_store.h"
#include "storage/pg_history_store.h"
#include "storage/pg_maintenance.h"
#include "storage/pg_secret_store.h"
#include "storage/pg_token_store.h"
#include "storage/pg_validation_store.h"

namespace sealpost {

Stores::Stores(DatabaseOptions database, std::shared_ptr<MasterKeys> master_keys, Random& random)
    : database_(std::move(database)), master_keys_(std::move(master_keys)), random_(random) {}

std::unique_ptr<DeliveryStore> Stores::deliveries() const {
  return std::make_unique<PgDeliveryStore>(database_, master_keys_, random_);
}

std::unique_ptr<DispatcherRegistry> Stores::registry() const {
  return std::make_unique<PgDispatcherRegistry>(database_, host_name());
}

std::unique_ptr<EndpointSource> Stores::endpoint_source() const {
  return std::make_unique<PgEndpointStore>(database_, master_keys_, random_);
}

std::unique_ptr<EndpointStore> Stores::endpoints() const {
  return std::make_unique<PgEndpointStore>(database_, master_keys_, random_);
}

std::unique_ptr<EncryptionKeyStore> Stores::encryption_keys() const {
  return std::make_unique<PgEncryptionKeyStore>(database_);
}

std::unique_ptr<HistoryStore> Stores::history() const {
  return std::make_unique<PgHistoryStore>(database_, master_keys_, random_);
}

std::unique_ptr<SecretStore> Stores::secrets() const {
  return std::make_unique<PgSecretStore>(database_, master_keys_, random_);
}

std::unique_ptr<TokenStore> Stores::tokens() const {
  return std::make_unique<PgTokenStore>(database_, random_);
}

std::unique_ptr<Maintenance> Stores::maintenance() const {
  return std::make_unique<PgMaintenance>(database_);
}

std::unique_ptr<ValidationStore> Stores::validations() const {
  return std::make_unique<PgValidationStore>(database_);
}

}  // namespace sealpost
