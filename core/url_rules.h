// Which URLs an endpoint may have. Checked when an endpoint is created or changed, to tell the
// operator early; what really protects is the check of the address at connect time
// (core/address_policy.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/address_policy.h"

namespace sealpost {

struct UrlRules {
  bool allow_http = false;
  // Ranges open to endpoints. An IP literal inside one is accepted, and with any range given so are
  // single-label and local names (they resolve to such addresses, and are judged at connect time).
  std::vector<IpRange> allowed_ranges;
};

// nullopt if fine; otherwise one sentence: what is wrong and what to do.
std::optional<std::string> url_error(std::string_view url, const UrlRules& rules);

}  // namespace sealpost
