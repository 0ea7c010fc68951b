// The stores of one running call, and the pool they come from. A store is a database connection and
// belongs to one thread at a time; the pool holds at most as many sets as threads ever ran at once.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "admin_api/problem.h"
#include "admin_api/server.h"

namespace sealpost {

// Made on first use, so that a call that only needs its token checked opens one connection.
class ApiStores {
 public:
  explicit ApiStores(const AdminApi::Dependencies& from) : from_(from) {}
  EndpointStore& endpoints();
  EncryptionKeyStore& encryption_keys();
  HistoryStore& history();
  SecretStore& secrets();
  TokenStore& tokens();
  ValidationStore& validations();

 private:
  const AdminApi::Dependencies& from_;
  std::unique_ptr<EndpointStore> endpoints_;
  std::unique_ptr<EncryptionKeyStore> encryption_keys_;
  std::unique_ptr<HistoryStore> history_;
  std::unique_ptr<SecretStore> secrets_;
  std::unique_ptr<TokenStore> tokens_;
  std::unique_ptr<ValidationStore> validations_;
};

// Threads: safe from any.
class StorePool {
 public:
  explicit StorePool(const AdminApi::Dependencies& from) : from_(from) {}

  // Runs `use(stores)` with a set that nobody else has. A refusal (Problem) says nothing about the
  // set; after any other exception it is thrown away, because its connections may be broken.
  template <class Use>
  auto with_stores(Use&& use) {
    std::unique_ptr<ApiStores> stores = take();
    try {
      auto result = use(*stores);
      give_back(std::move(stores));
      return result;
    } catch (const Problem&) {
      give_back(std::move(stores));
      throw;
    }
  }

 private:
  std::unique_ptr<ApiStores> take();
  void give_back(std::unique_ptr<ApiStores> stores);

  const AdminApi::Dependencies& from_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ApiStores>> idle_;
};

}  // namespace sealpost
