#include "admin_api/routes.h"

#include <array>

#include "admin_api/encryption_key_handlers.h"
#include "admin_api/endpoint_handlers.h"
#include "admin_api/history_handlers.h"
#include "admin_api/problem.h"
#include "admin_api/secret_handlers.h"
#include "admin_api/service_handlers.h"
#include "admin_api/validation_handlers.h"

namespace sealpost {
namespace {

constexpr std::string_view kPlaceholder = "{id}";

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "/v1/webhook-endpoints", Access::read, list_endpoints},
    {"POST", "/v1/webhook-endpoints", Access::manage, create_endpoint},
    {"GET", "/v1/webhook-endpoints/{id}", Access::read, get_endpoint},
    {"PATCH", "/v1/webhook-endpoints/{id}", Access::manage, change_endpoint},
    {"DELETE", "/v1/webhook-endpoints/{id}", Access::manage, delete_endpoint},
    {"POST", "/v1/webhook-endpoints/{id}/enable", Access::manage, enable_endpoint},
    {"POST", "/v1/webhook-endpoints/{id}/disable", Access::manage, disable_endpoint},
    {"POST", "/v1/webhook-endpoints/{id}/pause", Access::manage, pause_endpoint},
    {"POST", "/v1/webhook-endpoints/{id}/resume", Access::manage, resume_endpoint},
    {"GET", "/v1/merchant/webhook-keys", Access::read, list_encryption_keys},
    {"POST", "/v1/merchant/webhook-keys", Access::manage, create_encryption_key},
    {"GET", "/v1/merchant/webhook-keys/{id}", Access::read, get_encryption_key},
    {"DELETE", "/v1/merchant/webhook-keys/{id}", Access::manage, delete_encryption_key},
    {"POST", "/v1/merchant/webhook-keys/{id}/primary", Access::manage, make_encryption_key_primary},
    {"GET", "/v1/webhook-endpoints/{id}/secrets", Access::read, list_secrets},
    {"POST", "/v1/webhook-endpoints/{id}/secrets/rotate", Access::manage, rotate_secret},
    {"POST", "/v1/webhook-endpoints/{id}/secrets/activate", Access::manage, activate_secret},
    {"POST", "/v1/webhook-endpoints/{id}/secrets/revoke-previous", Access::manage,
     revoke_previous_secret},
    {"POST", "/v1/merchant/webhook-secrets/rotate", Access::manage, rotate_secret_of_tenant},
    {"GET", "/v1/events", Access::read, list_events},
    {"GET", "/v1/events/{id}", Access::read, get_event},
    {"GET", "/v1/deliveries", Access::read, list_deliveries},
    {"GET", "/v1/deliveries/{id}", Access::read, get_delivery},
    {"GET", "/v1/dead-letters", Access::read, list_dead_letters},
    {"GET", "/v1/dead-letters/{id}", Access::read, get_dead_letter},
    {"POST", "/v1/dead-letters/{id}/replay", Access::manage, replay_dead_letter},
    {"DELETE", "/v1/dead-letters/{id}", Access::manage, delete_dead_letter},
    {"GET", "/v1/webhook-validations/{id}", Access::open, consent_by_callback},
    {"POST", "/v1/webhook-validations/{id}", Access::open, consent_by_callback},
    {"GET", "/openapi.json", Access::open, get_openapi},
    {"GET", "/.well-known/jwks.json", Access::open, get_jwks},
    {"GET", "/.well-known/http-message-signatures-directory", Access::open,
     get_signatures_directory},
    {"GET", "/livez", Access::open, get_livez},
    {"GET", "/readyz", Access::open, get_readyz},
    {"GET", "/metrics", Access::open, get_metrics},
});

// What stands for {id}, an empty text if the pattern has none; nullopt if the path is another one.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  const auto at = pattern.find(kPlaceholder);
  if (at == std::string_view::npos) {
    return pattern == path ? std::optional<std::string>("") : std::nullopt;
  }
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kPlaceholder.size());
  if (path.size() <= before.size() + after.size()) return std::nullopt;
  if (!path.starts_with(before) || !path.ends_with(after)) return std::nullopt;
  const std::string_view id = path.substr(at, path.size() - before.size() - after.size());
  if (id.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(id);
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

RouteMatch match_route(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  std::string allowed;
  for (const Route& route : kRoutes) {
    auto id = match(route.pattern, path);
    if (!id) continue;
    if (route.method == method) return {route, std::move(*id)};
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (allowed.empty()) {
    throw Problem(404, "not_found", "There is no such path; /openapi.json lists all of them.");
  }
  throw Problem(405, "method_not_allowed", "This path takes " + allowed + ".")
      .with_header("Allow", allowed);
}

void require_access(Role role, Access access) {
  const bool manages = role == Role::admin || role == Role::op;
  const bool reads = manages || role == Role::readonly;
  if (access == Access::manage ? manages : reads) return;
  throw Problem(
      403, "forbidden",
      "A token with the role " + std::string(to_text(role)) +
          " may not do this; use one with the role " +
          (access == Access::manage ? "operator or admin." : "readonly, operator or admin."));
}

}  // namespace sealpost
