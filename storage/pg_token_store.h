// core/token_store.h on PostgreSQL. A token is "sp_" and 43 characters of base64url: 32 random
// bytes, so a plain SHA-256 protects it as well as a slow hash would (there is nothing to guess).
#pragma once

#include "base/random.h"
#include "core/token_store.h"
#include "storage/pg_session.h"

namespace sealpost {

class PgTokenStore final : public TokenStore {
 public:
  // `random` must outlive the store.
  PgTokenStore(DatabaseOptions options, Random& random);

  SecretText create(const std::string& name, Role role,
                    const std::optional<std::string>& tenant) override;
  std::optional<TokenInfo> find(const SecretText& token) override;

 private:
  PgSession session_;
  Random& random_;
};

}  // namespace sealpost
