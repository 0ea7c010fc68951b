#include "cli/admin_token.h"

#include "base/log.h"
#include "cli/captured_request.h"
#include "cli/private_file.h"

namespace sealpost {

void ensure_admin_token(const std::filesystem::path& data_dir, TokenStore& tokens) {
  const std::filesystem::path file = data_dir / "admin-token";
  if (std::filesystem::exists(file)) {
    if (tokens.find(read_secret(file))) return;
    // Perhaps revoked on purpose: that must not bring a new one into being.
    log_warn("admin_token.invalid",
             {{"file", file.string()}, {"remedy", "remove the file to get a new token"}});
    return;
  }
  const SecretText token = tokens.create("first admin token", Role::admin, std::nullopt);
  write_private_file(file, token.reveal());
  log_info("admin_token.created", {{"file", file.string()}});
}

}  // namespace sealpost
