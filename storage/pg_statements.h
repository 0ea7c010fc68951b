// The hot statements, for the stores that run them and for the test that explains their plans.
#pragma once

#include <span>

#include "storage/pg_session.h"

namespace sealpost {

extern const PgStatement kIntakeStatement;
extern const PgStatement kClaimStatement;
extern const PgStatement kFinishStatement;
extern const PgStatement kOrphansStatement;
extern const PgStatement kReleaseStatement;
extern const PgStatement kSkipStatement;
extern const PgStatement kFailStatement;

}  // namespace sealpost
