// core/endpoint_store.h on PostgreSQL, both views of it.
//
// Signing secrets and static headers are stored encrypted (storage/sealed_columns.h).
//
// With a wrong master key load() returns endpoints without secrets and headers (and a log line);
// get() and list() throw StorageError when an endpoint has headers, because writing such an
// endpoint back would lose them.
#pragma once

#include <memory>

#include "core/endpoint_store.h"
#include "storage/pg_session.h"
#include "storage/sealer.h"

namespace sealpost {

class PgEndpointStore final : public EndpointSource, public EndpointStore {
 public:
  // `random` must outlive the store.
  PgEndpointStore(DatabaseOptions options, std::shared_ptr<MasterKeys> keys, Random& random);

  std::vector<Endpoint> load(std::span<const EndpointId> ids) override;
  std::vector<std::pair<EndpointId, int>> changed_within(std::chrono::seconds window) override;
  void disable(const EndpointId& id, const std::string& reason) override;

  Endpoint create(const NewEndpoint& endpoint) override;
  std::optional<Endpoint> get(const std::optional<std::string>& tenant,
                              const EndpointId& id) override;
  Page<Endpoint> list(const std::optional<std::string>& tenant, const PageRequest& page) override;
  std::vector<std::string> public_keys() override;
  ChangeResult update(const std::optional<std::string>& tenant, const EndpointId& id,
                      const EndpointSettings& settings,
                      std::optional<int> expected_version) override;
  ChangeResult set_status(const std::optional<std::string>& tenant, const EndpointId& id,
                          EndpointStatus status, const std::string& reason,
                          std::optional<int> expected_version) override;

 private:
  enum class OnWrongKey { leave_out, refuse };
  Endpoint read_row(const PgRows& rows, int row, OnWrongKey on_wrong_key) const;
  void add_secrets(std::vector<Endpoint>& endpoints);
  PgParameters setting_parameters(const EndpointId& id, const EndpointSettings& settings);
  struct Locked {
    ChangeResult allowed = ChangeResult::changed;
    std::string url{};  // of the endpoint as it was, and the rest
    Standing standing{};
    ValidationKind validation = ValidationKind::none;
  };
  static Locked lock_for_change(PgTransaction& transaction,
                                const std::optional<std::string>& tenant, const EndpointId& id,
                                std::optional<int> expected_version);

  PgSession session_;
  Sealer sealer_;
};

}  // namespace sealpost
