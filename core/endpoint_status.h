// Whether an endpoint gets its deliveries.
#pragma once

#include <optional>
#include <string_view>

namespace sealpost {

enum class EndpointStatus {
  enabled,
  paused,    // deliveries wait
  disabled,  // deliveries are skipped; only an operator enables it again (or it was never enabled)
  deleted,   // kept for the history; waiting deliveries are dead-lettered
};

std::string_view to_text(EndpointStatus status);
std::optional<EndpointStatus> endpoint_status_from_text(std::string_view text);

}  // namespace sealpost
