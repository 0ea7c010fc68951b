#include "admin_api/validation_handlers.h"

#include <nlohmann/json.hpp>

#include "admin_api/field_names.h"
#include "admin_api/json_answer.h"
#include "admin_api/list_query.h"
#include "admin_api/problem.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"

namespace sealpost {
namespace {

constexpr std::size_t kSecretBytes = 16;

// Guesses of another form cost no statement.
void check_form(const std::string& secret) {
  const auto bytes = base64url_decode(secret);
  if (!bytes || bytes->size() != kSecretBytes) throw not_found("validation");
}

std::optional<Consent> rate_of(const ApiCall& call) {
  const std::string_view given = call.header("webhook-allowed-rate");
  if (given.empty()) return std::nullopt;
  const auto rate = read_allowed_rate(given);
  if (rate) return rate;
  throw Problem(400, "invalid_value",
                "WebHook-Allowed-Rate must be * or a positive integer, the requests per minute; "
                "nothing was changed.",
                "WebHook-Allowed-Rate");
}

}  // namespace

ApiAnswer consent_by_callback(CallContext& context) {
  require_no_query(context.call);
  if (context.call.method == "HEAD") {  // routed like GET, and asked by whoever only looks
    throw Problem(405, "method_not_allowed", "This path takes GET, POST.")
        .with_header("Allow", "GET, POST");
  }
  check_form(context.id);
  const auto rate = rate_of(context.call);
  const auto endpoint = context.stores.validations().consent(sha256(context.id), rate);
  if (!endpoint) throw not_found("validation");
  log_info("endpoint.consented_by_callback", {{"endpoint_id", endpoint->text()}});
  const nlohmann::json answer = {{Field::state, to_text(ValidationState::valid)}};
  return json_answer(200, answer.dump());
}

}  // namespace sealpost
