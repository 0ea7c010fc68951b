#include "admin_api/endpoint_handlers.h"

#include "admin_api/action_bodies.h"
#include "admin_api/endpoint_codec.h"
#include "admin_api/endpoint_reader.h"
#include "admin_api/history_codec.h"
#include "admin_api/json_answer.h"
#include "admin_api/list_query.h"
#include "admin_api/problem.h"
#include "admin_api/secret_reader.h"
#include "base/ulid.h"
#include "core/signing_secret.h"

namespace sealpost {
namespace {

using ChangeResult = EndpointStore::ChangeResult;

constexpr char kIdPrefix[] = "we_";
// Changes without If-Match are read, merged and written again if somebody else was faster.
constexpr int kMaxTries = 5;

EndpointRules rules_of(const CallContext& context) {
  return {.urls = context.options.url_rules,
          .default_profile = context.options.default_profile,
          .webhook_origin = context.options.webhook_origin};
}

Endpoint find_endpoint(CallContext& context) {
  if (is_prefixed_ulid(context.id, kIdPrefix)) {
    auto endpoint = context.stores.endpoints().get(context.token.tenant, EndpointId(context.id));
    if (endpoint && endpoint->status != EndpointStatus::deleted) return std::move(*endpoint);
  }
  throw not_found("endpoint");
}

ApiAnswer endpoint_answer(int status, const Endpoint& endpoint, std::string body) {
  ApiAnswer answer = json_answer(status, std::move(body));
  answer.headers.push_back({"ETag", entity_tag(endpoint)});
  return answer;
}

// RFC 9110, 13.1.1: a list of strong tags, or * for whatever there is.
bool if_match_holds(std::string_view if_match, const Endpoint& endpoint) {
  const std::string tag = entity_tag(endpoint);
  while (!if_match.empty()) {
    std::string_view one = if_match.substr(0, if_match.find(','));
    if_match.remove_prefix(std::min(one.size() + 1, if_match.size()));
    while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
    while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
    if (one == tag || one == "*") return true;
  }
  return false;
}

Problem version_differs(const Endpoint& endpoint) {
  return Problem(412, "version_mismatch",
                 "The endpoint was changed since you read it; read it again, and send If-Match "
                 "with its "
                 "new ETag.")
      .with_header("ETag", entity_tag(endpoint));
}

// Reads the endpoint, lets `change(endpoint)` write it under the version that was read, and does so
// again if another call came in between. With If-Match that is a 412 instead. Returns the endpoint
// before the change that succeeded.
template <class Change>
Endpoint change_safely(CallContext& context, Change&& change) {
  const std::string_view if_match = context.call.header("if-match");
  for (int tries = 0; tries < kMaxTries; ++tries) {
    Endpoint endpoint = find_endpoint(context);
    if (!if_match.empty() && !if_match_holds(if_match, endpoint)) throw version_differs(endpoint);
    switch (change(endpoint)) {
      case ChangeResult::changed:
        return endpoint;
      case ChangeResult::not_found:
        throw not_found("endpoint");
      case ChangeResult::version_differs:
        break;
    }
  }
  throw Problem(409, "conflict", "The endpoint is being changed by others all the time; try again.")
      .with_header("Retry-After", "1");
}

ApiAnswer changed_answer(CallContext& context) {
  const Endpoint endpoint = find_endpoint(context);
  return endpoint_answer(200, endpoint, endpoint_json(endpoint));
}

enum class FromDisabled { allowed, refused };

ApiAnswer set_status(CallContext& context, EndpointStatus status, const std::string& reason,
                     FromDisabled from_disabled) {
  require_no_query(context.call);
  change_safely(context, [&](const Endpoint& endpoint) {
    if (endpoint.status == EndpointStatus::disabled && from_disabled == FromDisabled::refused) {
      throw Problem(409, "webhook_endpoint_disabled",
                    "The endpoint is disabled, so nothing waits for it; enable it first.");
    }
    if (endpoint.status == status && endpoint.status_reason == reason) return ChangeResult::changed;
    return context.stores.endpoints().set_status(context.token.tenant, endpoint.id, status, reason,
                                                 endpoint.version);
  });
  return changed_answer(context);
}

std::string reason_of(CallContext& context) {
  return read_status_reason(json_body(context.call, BodyNeed::optional));
}

// Runs `change`, which may find that encryption has no key.
template <class Change>
auto with_encryption_key(Change&& change) {
  try {
    return change();
  } catch (const EncryptionKeyMissing&) {
    throw Problem(
        Mistakes{{"encryption_key_required", "encryption.public_key",
                  "Encryption needs a key: give public_key, or register one for the tenant at "
                  "/v1/merchant/webhook-keys first."}});
  }
}

std::string tenant_of(const CallContext& context, const EndpointDraft& draft) {
  const auto& own = context.token.tenant;
  if (own && draft.tenant && *draft.tenant != *own) {
    throw Problem(403, "tenant_not_allowed",
                  "This token is for one tenant; leave tenant out to create the endpoint there.",
                  "tenant");
  }
  if (own) return *own;
  return draft.tenant.value_or(kDefaultTenant);
}

SecretText new_secret(const EndpointSettings& settings, Random& random) {
  return new_signing_secret(signing_profile_of(settings), random);
}

}  // namespace

ApiAnswer list_endpoints(CallContext& context) {
  const PageRequest request = read_page_query(context.call, kIdPrefix);
  const Page<Endpoint> page = context.stores.endpoints().list(context.token.tenant, request);
  std::vector<std::string> items;
  for (const Endpoint& endpoint : page.items) items.push_back(endpoint_json(endpoint));
  return json_answer(200, page_json(items, page.next_cursor));
}

ApiAnswer create_endpoint(CallContext& context) {
  require_no_query(context.call);
  EndpointDraft draft =
      read_new_endpoint(json_body(context.call, BodyNeed::required), rules_of(context));
  const std::string tenant = tenant_of(context, draft);
  const SecretText secret =
      draft.secret ? *draft.secret : new_secret(draft.settings, context.random);
  const Endpoint endpoint = with_encryption_key([&] {
    return context.stores.endpoints().create({.tenant = tenant,
                                              .settings = std::move(draft.settings),
                                              .secret = secret,
                                              .secret_is_ours = !draft.secret});
  });
  ApiAnswer answer = endpoint_answer(201, endpoint, new_endpoint_json(endpoint, secret));
  answer.headers.push_back({"Location", "/v1/webhook-endpoints/" + endpoint.id.text()});
  return answer;
}

ApiAnswer get_endpoint(CallContext& context) {
  require_no_query(context.call);
  const Endpoint endpoint = find_endpoint(context);
  return endpoint_answer(200, endpoint, endpoint_json(endpoint));
}

ApiAnswer change_endpoint(CallContext& context) {
  require_no_query(context.call);
  const std::string_view body = json_body(context.call, BodyNeed::required);
  change_safely(context, [&](const Endpoint& endpoint) {
    const EndpointSettings settings =
        read_endpoint_changes(body, endpoint.settings, rules_of(context));
    return with_encryption_key([&] {
      return context.stores.endpoints().update(context.token.tenant, endpoint.id, settings,
                                               endpoint.version);
    });
  });
  return changed_answer(context);
}

ApiAnswer delete_endpoint(CallContext& context) {
  require_no_query(context.call);
  change_safely(context, [&](const Endpoint& endpoint) {
    return context.stores.endpoints().set_status(
        context.token.tenant, endpoint.id, EndpointStatus::deleted, "deleted", endpoint.version);
  });
  return {.status = 204};
}

ApiAnswer enable_endpoint(CallContext& context) {
  return set_status(context, EndpointStatus::enabled, reason_of(context), FromDisabled::allowed);
}

ApiAnswer disable_endpoint(CallContext& context) {
  return set_status(context, EndpointStatus::disabled, reason_of(context), FromDisabled::allowed);
}

ApiAnswer pause_endpoint(CallContext& context) {
  return set_status(context, EndpointStatus::paused, reason_of(context), FromDisabled::refused);
}

ApiAnswer resume_endpoint(CallContext& context) {
  return set_status(context, EndpointStatus::enabled, reason_of(context), FromDisabled::refused);
}

}  // namespace sealpost
