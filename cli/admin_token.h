// The first token of a small installation, so that its operator can call the API at once.
#pragma once

#include <filesystem>

#include "core/token_store.h"

namespace sealpost {

// Makes an admin token and writes it to <data_dir>/admin-token, mode 0600, unless that file is
// there. The log says where it is, never what it is.
void ensure_admin_token(const std::filesystem::path& data_dir, TokenStore& tokens);

}  // namespace sealpost
