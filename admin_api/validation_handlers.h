// The call by which a receiver consents to be sent to (core/validation.h). Without a token: the
// secret in its path is known to the receiver only, and good for once.
#pragma once

#include "admin_api/routes.h"

namespace sealpost {

ApiAnswer consent_by_callback(CallContext& context);

}  // namespace sealpost
