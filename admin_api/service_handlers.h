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

}  // namespace sealpost
