// The stores of the admin API in memory, with the promises of their headers: versions,
// tenants, pages, replays. Every store instance notices when two threads use it at once, as a real
// connection would not survive, and every call can be made to fail.
//
// Threads: safe from any; each store it hands out belongs to one at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "core/encryption_key_store.h"
#include "core/endpoint_store.h"
#include "core/history_store.h"
#include "core/secret_store.h"
#include "core/token_store.h"
#include "core/validation_store.h"

namespace sealpost {

class MemoryAdminStores {
 public:
  MemoryAdminStores(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  std::unique_ptr<EndpointStore> endpoints();
  std::unique_ptr<EncryptionKeyStore> encryption_keys();
  std::unique_ptr<HistoryStore> history();
  std::unique_ptr<SecretStore> secrets();
  std::unique_ptr<TokenStore> tokens();
  std::unique_ptr<ValidationStore> validations();

  // Called at the start of every call with its name ("endpoints.update"), without the lock; may
  // throw what the call is to throw, or change something behind the caller's back.
  void before_each_call(std::function<void(std::string_view)> action);

  // What producers and dispatchers would have written.
  void add_event(Event event);
  void add_delivery(DeliveryRecord delivery, std::vector<AttemptRecord> attempts);
  // A dispatcher asked the pending endpoint and named a callback with this secret.
  void offer_callback(const EndpointId& id, const std::string& secret);
  void change(const EndpointId& id, const std::function<void(Endpoint&)>& change);
  void add_response_payload(const DeliveryId& id, ResponsePayload payload);
  std::string secret_of(const EndpointId& id) const;
  EndpointSettings settings_of(const EndpointId& id) const;
  int stores_made() const;

 private:
  friend class MemoryEncryptionKeyStore;
  friend class MemoryEndpointStore;
  friend class MemoryHistoryStore;
  friend class MemorySecretStore;
  friend class MemoryTokenStore;
  friend class MemoryConsentStore;

  struct StoredDelivery {
    DeliveryRecord record;
    std::vector<AttemptRecord> attempts;
    std::optional<ResponsePayload> payload{};
  };

  struct StoredSecret {
    SecretRecord record;
    std::string text;
  };

  void enter(std::string_view call);
  void count_store();

  // Under the lock. Encryption keys are in memory_encryption_keys.cc.
  StoredEncryptionKey add_key(const std::string& tenant,
                              const std::optional<EndpointId>& endpoint_id,
                              const std::string& public_key, const std::string& label);
  EncryptionKeyId primary_of(const StoredEncryptionKey& of) const;
  std::vector<EncryptionKey> keys_of(const Endpoint& endpoint) const;
  // What storing new settings does to the endpoint's keys; throws EncryptionKeyMissing.
  void store_own_key(Endpoint& endpoint);

  Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  std::function<void(std::string_view)> action_;
  int stores_made_ = 0;
  std::map<std::string, Endpoint> endpoints_;
  std::map<std::string, std::vector<StoredSecret>> secrets_;  // by endpoint, the newest first
  std::map<std::string, StoredEncryptionKey> keys_;
  std::vector<EncryptionKeyId> made_primary_;  // the last one last
  int keys_made_ = 0;
  std::map<std::string, Event> events_;
  std::map<std::string, StoredDelivery> deliveries_;
  std::map<std::string, EndpointId> callbacks_;  // by SHA-256 of the secret
  std::map<std::string, TokenInfo> tokens_;      // by the token itself
};

}  // namespace sealpost
