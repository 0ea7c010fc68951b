// Every call of the API, in one table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "admin_api/http_server.h"
#include "admin_api/key_set_cache.h"
#include "admin_api/server.h"
#include "admin_api/stores.h"

namespace sealpost {

enum class Access {
  open,    // no token: for probes and for whoever wants to read the description
  read,    // admin, operator, readonly
  manage,  // admin, operator
};

inline constexpr char kDefaultTenant[] = "default";

// What a call works with. Lives as long as the call.
struct CallContext {
  const ApiCall& call;
  std::string id;   // what stands for {id} in the path
  TokenInfo token;  // whose call it is; calls with Access::open have none
  ApiStores& stores;
  const AdminApiOptions& options;
  const HealthSource& health;
  Random& random;
  KeySetCache& key_sets;
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/webhook-endpoints/{id}"
  Access access;
  ApiAnswer (*handler)(CallContext&);  // may throw Problem and StorageError
};

std::span<const Route> routes();

struct RouteMatch {
  const Route& route;
  std::string id;
};

// Throws Problem: 404 for an unknown path, 405 with Allow for a known one. HEAD is answered like
// GET.
RouteMatch match_route(std::string_view method, std::string_view path);

// Throws Problem 403 if the role may not make calls of this kind.
void require_access(Role role, Access access);

}  // namespace sealpost
