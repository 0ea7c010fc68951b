// Query parameters of lists. Unknown, repeated and malformed ones are refused with 422, all at
// once: a misspelled filter that is ignored shows somebody everything.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin_api/http_server.h"
#include "core/history_store.h"

namespace sealpost {

// limit and cursor. `id_prefix` is that of the listed things ("we_").
PageRequest read_page_query(const ApiCall& call, std::string_view id_prefix);

struct DeliveryListQuery {
  DeliveryFilter filter;
  PageRequest page;
};

// Also endpoint_id, event_id, type, state, created_after, created_before. If `only_state` is set,
// the list has that state anyway, and the parameter may only repeat it.
DeliveryListQuery read_delivery_query(const ApiCall& call,
                                      std::optional<DeliveryState> only_state = std::nullopt);

// tenant and endpoint_id: whose keys a call is about.
struct KeyScopeQuery {
  std::optional<std::string> tenant;
  std::optional<EndpointId> endpoint_id;
};
KeyScopeQuery read_key_scope_query(const ApiCall& call);

// Calls that are not lists take no parameters.
void require_no_query(const ApiCall& call);

// RFC 3339, with up to nine digits of a fraction (cut to microseconds) and any offset.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace sealpost
