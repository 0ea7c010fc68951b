// Where endpoints and their secrets live. Two readers: dispatchers load endpoints ready for
// sending, the admin API manages them.
//
// Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/endpoint.h"

namespace sealpost {

// The dispatcher's view.
class EndpointSource {
 public:
  virtual ~EndpointSource() = default;
  // With decrypted secrets. Unknown ids are left out; deleted endpoints are returned as such.
  // An endpoint whose secrets cannot be decrypted is returned without secrets.
  virtual std::vector<Endpoint> load(std::span<const EndpointId> ids) = 0;
  // Ids and versions of endpoints changed within the last `window`.
  virtual std::vector<std::pair<EndpointId, int>> changed_within(std::chrono::seconds window) = 0;
  // Disables an endpoint that is enabled; otherwise nothing.
  virtual void disable(const EndpointId& id, const std::string& reason) = 0;
};

// A page of a list: newest first, `next_cursor` empty at the end.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::string next_cursor;
};

struct PageRequest {
  int limit = 20;      // 1…100
  std::string cursor;  // empty: from the newest; otherwise the id after which to go on
};

struct NewEndpoint {
  std::string tenant;
  EndpointSettings settings;
  SecretText secret;
  bool secret_is_ours = false;  // made by new_signing_secret()
};

// Thrown by create() and update(): encryption is to be enabled, and no key applies to the endpoint.
// Nothing was changed.
struct EncryptionKeyMissing : std::runtime_error {
  EncryptionKeyMissing() : std::runtime_error("encryption is enabled and there is no key for it") {}
};

// The operator's view. `tenant` limits what can be seen and touched; nullopt sees all. Something
// that belongs to another tenant does not exist.
class EndpointStore {
 public:
  virtual ~EndpointStore() = default;
  virtual Endpoint create(const NewEndpoint& endpoint) = 0;
  virtual std::optional<Endpoint> get(const std::optional<std::string>& tenant,
                                      const EndpointId& id) = 0;
  virtual Page<Endpoint> list(const std::optional<std::string>& tenant,
                              const PageRequest& page) = 0;
  // The public keys of all secrets that sign, are to sign, or have signed until a moment ago; as
  // core/signing_secret.h writes them, of all tenants.
  virtual std::vector<std::string> public_keys() = 0;
  // Replaces settings if the stored version is `expected_version` (nullopt: whatever it is).
  enum class ChangeResult { changed, not_found, version_differs };
  virtual ChangeResult update(const std::optional<std::string>& tenant, const EndpointId& id,
                              const EndpointSettings& settings,
                              std::optional<int> expected_version) = 0;
  virtual ChangeResult set_status(const std::optional<std::string>& tenant, const EndpointId& id,
                                  EndpointStatus status, const std::string& reason,
                                  std::optional<int> expected_version) = 0;
};

}  // namespace sealpost
