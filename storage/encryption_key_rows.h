// What the endpoint store and the key store do with sealpost.encryption_keys alike.
//
// Whoever changes keys, or enables encryption, locks the table first (it happens rarely), so that
// two changes cannot together leave an endpoint without a key. Reading is not held up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/endpoint_store.h"
#include "storage/pg_session.h"

namespace sealpost {

void lock_encryption_keys(PgTransaction& transaction);

// False if an endpoint of the tenant (or this one) has encryption enabled and no key applies to it.
bool encrypted_endpoints_have_keys(PgTransaction& transaction, const std::string& tenant);
bool encrypted_endpoint_has_key(PgTransaction& transaction, const EndpointId& id);

// Makes this the endpoint's only own key.
void replace_own_key(PgTransaction& transaction, const EndpointId& id,
                     const std::string& public_key);

// Fills encryption_keys, the primary first. One statement, none if no endpoint is encrypted.
void add_encryption_keys(PgSession& session, std::vector<Endpoint>& endpoints);

}  // namespace sealpost
