// The stores on PostgreSQL, as the parts of the program ask for them: each call makes one with a
// connection of its own.
//
// Threads: the methods are safe from any thread; what they return belongs to the caller's.
#pragma once

#include <memory>

#include "base/master_key.h"
#include "base/random.h"
#include "core/delivery_store.h"
#include "core/dispatcher_registry.h"
#include "core/encryption_key_store.h"
#include "core/endpoint_store.h"
#include "core/history_store.h"
#include "core/maintenance.h"
#include "core/secret_store.h"
#include "core/token_store.h"
#include "core/validation_store.h"
#include "storage/database_options.h"

namespace sealpost {

class Stores {
 public:
  // `random` must live longer.
  Stores(DatabaseOptions database, std::shared_ptr<MasterKeys> master_keys, Random& random);

  std::unique_ptr<DeliveryStore> deliveries() const;
  std::unique_ptr<DispatcherRegistry> registry() const;
  std::unique_ptr<EndpointSource> endpoint_source() const;
  std::unique_ptr<EndpointStore> endpoints() const;
  std::unique_ptr<EncryptionKeyStore> encryption_keys() const;
  std::unique_ptr<HistoryStore> history() const;
  std::unique_ptr<SecretStore> secrets() const;
  std::unique_ptr<TokenStore> tokens() const;
  std::unique_ptr<Maintenance> maintenance() const;
  std::unique_ptr<ValidationStore> validations() const;

 private:
  DatabaseOptions database_;
  std::shared_ptr<MasterKeys> master_keys_;
  Random& random_;
};

}  // namespace sealpost
