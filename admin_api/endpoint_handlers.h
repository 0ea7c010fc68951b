// Calls about endpoints. All may throw Problem and StorageError.
#pragma once

#include "admin_api/routes.h"

namespace sealpost {

ApiAnswer list_endpoints(CallContext& context);
ApiAnswer create_endpoint(CallContext& context);
ApiAnswer get_endpoint(CallContext& context);
ApiAnswer change_endpoint(CallContext& context);
ApiAnswer delete_endpoint(CallContext& context);
ApiAnswer enable_endpoint(CallContext& context);
ApiAnswer disable_endpoint(CallContext& context);
ApiAnswer pause_endpoint(CallContext& context);
ApiAnswer resume_endpoint(CallContext& context);

}  // namespace sealpost
