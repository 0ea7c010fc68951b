// Calls about signing secrets. All may throw Problem and StorageError.
#pragma once

#include "admin_api/routes.h"

namespace sealpost {

// The form of the ItPay webhook document: the endpoint is named in the body, or is the only one.
ApiAnswer rotate_secret_of_tenant(CallContext& context);

ApiAnswer rotate_secret(CallContext& context);
ApiAnswer activate_secret(CallContext& context);
ApiAnswer revoke_previous_secret(CallContext& context);
ApiAnswer list_secrets(CallContext& context);

}  // namespace sealpost
