// Calls about events, deliveries and dead letters. All may throw Problem and StorageError.
#pragma once

#include "admin_api/routes.h"

namespace sealpost {

ApiAnswer list_events(CallContext& context);
ApiAnswer get_event(CallContext& context);
ApiAnswer list_deliveries(CallContext& context);
ApiAnswer get_delivery(CallContext& context);
ApiAnswer list_dead_letters(CallContext& context);
ApiAnswer get_dead_letter(CallContext& context);
ApiAnswer replay_dead_letter(CallContext& context);
ApiAnswer delete_dead_letter(CallContext& context);

}  // namespace sealpost
