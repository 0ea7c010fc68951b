#include "storage/pg_token_store.h"

#include <array>

#include "base/bytes.h"
#include "base/hash.h"

namespace sealpost {
namespace {

constexpr const char* kInsert = R"sql(
INSERT INTO sealpost.tokens (id, name, role, tenant, sha256)
VALUES (sealpost.new_id('tok_'), $1, $2, $3, $4::bytea))sql";

// Index: the unique one on sha256. Comparing hashes in the index tells a guesser nothing about a
// token.
constexpr PgStatement kFind{"find_token", R"sql(
SELECT id, name, role, tenant FROM sealpost.tokens WHERE sha256 = $1::bytea AND revoked_at IS NULL)sql"};

}  // namespace

PgTokenStore::PgTokenStore(DatabaseOptions options, Random& random)
    : session_(std::move(options)), random_(random) {}

SecretText PgTokenStore::create(const std::string& name, Role role,
                                const std::optional<std::string>& tenant) {
  std::array<std::byte, 32> bytes;
  random_.fill(bytes);
  const SecretText token(
      "sp_" + base64url_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  const auto parameters =
      PgParameters().add(name).add(to_text(role)).add(tenant).add_bytes(sha256(token.reveal()));
  session_.transaction(
      {}, [&](PgTransaction& transaction) { transaction.run_once(kInsert, parameters); });
  return token;
}

std::optional<TokenInfo> PgTokenStore::find(const SecretText& token) {
  const PgRows rows = session_.query(kFind, PgParameters().add_bytes(sha256(token.reveal())));
  if (rows.empty()) return std::nullopt;
  const auto role = role_from_text(rows.view(0, 2));
  if (!role) return std::nullopt;
  return TokenInfo{.id = TokenId(rows.text(0, 0)),
                   .name = rows.text(0, 1),
                   .role = *role,
                   .tenant = rows.optional_text(0, 3)};
}

}  // namespace sealpost
