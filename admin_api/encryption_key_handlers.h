// Calls about receivers' encryption keys. Each may throw Problem and StorageError.
#pragma once

#include "admin_api/routes.h"

namespace sealpost {

ApiAnswer list_encryption_keys(CallContext& context);
ApiAnswer create_encryption_key(CallContext& context);
ApiAnswer get_encryption_key(CallContext& context);
// The id may be "old": all keys of the scope but the newest, of the tenant or of ?endpoint_id=.
ApiAnswer delete_encryption_key(CallContext& context);
ApiAnswer make_encryption_key_primary(CallContext& context);

}  // namespace sealpost
