#include "admin_api/service_handlers.h"

#include "admin_api/openapi.h"
#include "admin_api/problem.h"
#include "core/limits.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

ApiAnswer ok_text(std::string text) {
  return {.content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

std::string load_key_set(ApiStores& stores) {
  std::string keys;
  for (const std::string& key : stores.endpoints().public_keys()) {
    const std::string jwk = public_key_jwk(key);
    if (!jwk.empty()) keys += (keys.empty() ? "" : ",") + jwk;
  }
  return R"({"keys":[)" + keys + "]}";
}

ApiAnswer key_set(CallContext& context, std::string content_type) {
  return {.content_type = std::move(content_type),
          .body = context.key_sets.get([&] { return load_key_set(context.stores); }),
          .headers = {{"Cache-Control", "max-age=" + std::to_string(kKeySetLifetime.count())}}};
}

}  // namespace

ApiAnswer livez_answer(const HealthSource& source) {
  if (!source.live || source.live()) return ok_text("live\n");
  throw Problem(503, "not_live", "The process makes no progress; restart it.");
}

ApiAnswer readyz_answer(const HealthSource& source) {
  std::string why;
  if (!source.ready || source.ready(why)) return ok_text("ready\n");
  throw Problem(503, "not_ready", why.empty() ? "Not ready." : why).with_header("Retry-After", "1");
}

ApiAnswer metrics_answer(const HealthSource& source) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = source.metrics ? source.metrics() : std::string()};
}

ApiAnswer get_livez(CallContext& context) { return livez_answer(context.health); }
ApiAnswer get_readyz(CallContext& context) { return readyz_answer(context.health); }
ApiAnswer get_metrics(CallContext& context) { return metrics_answer(context.health); }

ApiAnswer get_openapi(CallContext&) {
  return {.content_type = "application/json", .body = std::string(openapi_text())};
}

ApiAnswer get_jwks(CallContext& context) { return key_set(context, "application/jwk-set+json"); }

ApiAnswer get_signatures_directory(CallContext& context) {
  return key_set(context, "application/http-message-signatures-directory+json");
}

}  // namespace sealpost
