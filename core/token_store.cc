#include "core/token_store.h"

#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<Role> kRoles[] = {
    {Role::admin, "admin"},
    {Role::op, "operator"},
    {Role::producer, "producer"},
    {Role::readonly, "readonly"},
};

}  // namespace

std::string_view to_text(Role role) { return text_of(kRoles, role); }

std::optional<Role> role_from_text(std::string_view text) { return value_of(kRoles, text); }

}  // namespace sealpost
