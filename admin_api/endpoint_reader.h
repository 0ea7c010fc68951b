// What clients want an endpoint to be, checked as a whole: all mistakes of a body are found in one
// go, and what could not be signed, sent or stored later is refused now.
//
// Errors: Problem (400 for broken JSON, 422 for anything else that is wrong).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.h"
#include "core/endpoint.h"
#include "core/url_rules.h"

namespace sealpost {

struct EndpointRules {
  const UrlRules& urls;
  const std::string& default_profile;
  const std::string& webhook_origin;  // may be empty
};

struct EndpointDraft {
  std::optional<std::string> tenant;  // as given
  EndpointSettings settings;
  std::optional<SecretText> secret;  // as given, to be taken over
};

// A profile brings its envelope and schedule along, unless the body sets them.
EndpointDraft read_new_endpoint(std::string_view body, const EndpointRules& rules);

// The settings after a PATCH (RFC 7396): fields that are named replace, null goes back to the
// default, headers and metadata are merged by name. A new profile leaves envelope and schedule as
// they are.
EndpointSettings read_endpoint_changes(std::string_view body, const EndpointSettings& current,
                                       const EndpointRules& rules);

}  // namespace sealpost
