// Bearer tokens of the admin API. Only a SHA-256 of each is stored.
//
// Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.h"
#include "core/ids.h"

namespace sealpost {

enum class Role {
  admin,     // everything
  op,        // "operator": endpoints, replays
  producer,  // hands in events
  readonly,  // reads
};

std::string_view to_text(Role role);  // "admin", "operator", "producer", "readonly"
std::optional<Role> role_from_text(std::string_view text);

struct TokenInfo {
  TokenId id;
  std::string name;
  Role role = Role::readonly;
  std::optional<std::string> tenant;  // nullopt: all tenants
};

class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // Returns the token, "sp_…", the only time it can be seen.
  virtual SecretText create(const std::string& name, Role role,
                            const std::optional<std::string>& tenant) = 0;
  // nullopt: unknown or revoked.
  virtual std::optional<TokenInfo> find(const SecretText& token) = 0;
};

}  // namespace sealpost
