// `sealpost token create`.

#include <fmt/format.h>

#include "base/random.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/start_checks.h"
#include "core/token_store.h"
#include "storage/pg_token_store.h"

namespace sealpost {

int token_create(const Config& config, const TokenRequest& request) {
  SystemRandom random;
  const Database database(config, Database::Use::join, "token create", random);
  const DatabaseOptions options{.url = database.url(), .application_name = "sealpost token"};
  require_schema(options);
  PgTokenStore tokens(options, random);
  const SecretText token =
      tokens.create(request.name, *role_from_text(request.role), request.tenant);
  fmt::print("{}\n", token.reveal());
  fmt::print(stderr, "This token is shown only now. Send it as \"Authorization: Bearer ...\"\n");
  return kExitOk;
}

}  // namespace sealpost
