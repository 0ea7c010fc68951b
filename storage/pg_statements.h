// The hot statements, for the stores that run them and for the test that explains their plans.
#pragma once

#include <span>

#include "core/ids.h"
#include "storage/pg_session.h"

namespace sealpost {

extern const PgStatement kIntakeStatement;
extern const PgStatement kPickUpStatement;
extern const PgStatement kClaimStatement;
extern const PgStatement kFinishStatement;
extern const PgStatement kOrphansStatement;
extern const PgStatement kResponsePayloadsStatement;
extern const PgStatement kReleaseStatement;
extern const PgStatement kSkipStatement;
extern const PgStatement kFailStatement;

// Dead-letters deliveries that `epoch` holds and whose event is gone (retention or somebody's
// DELETE took it); nothing if there are none.
void fail_without_event(PgTransaction& transaction, Epoch epoch, const PgArray& deliveries);

}  // namespace sealpost
