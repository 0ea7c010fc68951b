// core/validation_store.h on PostgreSQL. Every change of an endpoint here raises its version, as
// all others do, so that dispatchers load it again; handing it out does not.
#pragma once

#include "core/validation_store.h"
#include "storage/pg_session.h"

namespace sealpost {

class PgValidationStore final : public ValidationStore {
 public:
  explicit PgValidationStore(DatabaseOptions options) : session_(std::move(options)) {}

  std::vector<DueValidation> take_due(std::span<const std::int16_t> buckets, int limit) override;
  void asking(const DueValidation& due, const std::string& origin,
              std::string_view secret_sha256) override;
  bool conclude(const DueValidation& due, const ValidationVerdict& verdict) override;
  std::optional<EndpointId> consent(std::string_view secret_sha256,
                                    const std::optional<Consent>& rate) override;

 private:
  PgSession session_;
};

}  // namespace sealpost
