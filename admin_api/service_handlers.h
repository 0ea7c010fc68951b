// Calls about the service itself; they need no token.
#pragma once

#include "admin_api/routes.h"

namespace sealpost {

// 200, or a problem with status 503 and the reason.
ApiAnswer livez_answer(const HealthSource& source);
ApiAnswer readyz_answer(const HealthSource& source);
ApiAnswer metrics_answer(const HealthSource& source);

ApiAnswer get_livez(CallContext& context);
ApiAnswer get_readyz(CallContext& context);
ApiAnswer get_metrics(CallContext& context);
ApiAnswer get_openapi(CallContext& context);
// All public keys of endpoints as a JSON Web Key Set (RFC 7517), under the two paths at which
// libraries look for it. Source of the second: the drafts of web-bot-auth.
ApiAnswer get_jwks(CallContext& context);
ApiAnswer get_signatures_directory(CallContext& context);

}  // namespace sealpost
