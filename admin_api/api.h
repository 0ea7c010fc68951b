// The API behind its HTTP server: request ids, tokens, routing, and what becomes of exceptions.
// Plain calls and answers, so that it can be driven without a socket.
//
// Threads: answer() and refuse() are safe from any.
#pragma once

#include "admin_api/api_metrics.h"
#include "admin_api/http_server.h"
#include "admin_api/routes.h"
#include "admin_api/server.h"
#include "admin_api/stores.h"

namespace sealpost {

class Api {
 public:
  // `dependencies` and `options` must outlive this.
  Api(const AdminApi::Dependencies& dependencies, const AdminApiOptions& options);

  ApiAnswer answer(const ApiCall& call) noexcept;
  // For what was no request at all.
  ApiAnswer refuse(int status) noexcept;

 private:
  ApiAnswer route_and_run(const ApiCall& call, std::string& route);
  TokenInfo authenticate(const ApiCall& call, ApiStores& stores) const;
  std::string request_id_of(const ApiCall& call) const;

  const AdminApi::Dependencies& dependencies_;
  const AdminApiOptions& options_;
  HealthSource health_;  // as given, with the API's own metrics appended
  StorePool stores_;
  KeySetCache key_sets_;
  ApiMetrics metrics_;
};

}  // namespace sealpost
