#include "admin_api/stores.h"

namespace sealpost {

EndpointStore& ApiStores::endpoints() {
  if (!endpoints_) endpoints_ = from_.endpoints();
  return *endpoints_;
}

EncryptionKeyStore& ApiStores::encryption_keys() {
  if (!encryption_keys_) encryption_keys_ = from_.encryption_keys();
  return *encryption_keys_;
}

HistoryStore& ApiStores::history() {
  if (!history_) history_ = from_.history();
  return *history_;
}

SecretStore& ApiStores::secrets() {
  if (!secrets_) secrets_ = from_.secrets();
  return *secrets_;
}

TokenStore& ApiStores::tokens() {
  if (!tokens_) tokens_ = from_.tokens();
  return *tokens_;
}

ValidationStore& ApiStores::validations() {
  if (!validations_) validations_ = from_.validations();
  return *validations_;
}

std::unique_ptr<ApiStores> StorePool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<ApiStores>(from_);
  std::unique_ptr<ApiStores> stores = std::move(idle_.back());
  idle_.pop_back();
  return stores;
}

void StorePool::give_back(std::unique_ptr<ApiStores> stores) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(stores));
}

}  // namespace sealpost
