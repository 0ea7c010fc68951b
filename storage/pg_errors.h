// How a failure of PostgreSQL or of the connection to it is told to the callers: as a StorageError.
//
// What the SQLSTATEs mean: PostgreSQL documentation, appendix A.
#pragma once

#include <string>
#include <string_view>

#include "core/storage_error.h"

namespace sealpost {

struct PgFailure {
  StorageError::Kind kind = StorageError::Kind::permanent;
  bool connection_usable = false;  // false: reconnect before the next statement
};

// `sqlstate` is empty if the server gave none, which happens when the connection was cut.
PgFailure classify_sqlstate(std::string_view sqlstate);

// libpq repeats parts of a malformed URL in its message, and a URL may carry a password. Only
// messages that are known to tell no more than host and user are passed on.
std::string connection_error_text(std::string_view libpq_message);

}  // namespace sealpost
