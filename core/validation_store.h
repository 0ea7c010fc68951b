// Where it is written down how it stands with the validation of endpoints, so that it survives
// whoever asks: an endpoint that is to be asked is handed out for kValidationHold, and again after
// that unless conclude() came.
//
// Time: the store's clock. Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/validation.h"

namespace sealpost {

// An endpoint whose receiver is to be asked now.
struct DueValidation {
  EndpointId endpoint_id{};
  int version = 0;  // of the endpoint
  int asked = 1;    // how often by now, since the last answer
};

class ValidationStore {
 public:
  virtual ~ValidationStore() = default;

  // --- for dispatchers
  // Endpoints in `buckets` that are to be asked.
  virtual std::vector<DueValidation> take_due(std::span<const std::int16_t> buckets, int limit) = 0;

  // Before a request by OPTIONS: as whom, and the SHA-256 of the secret in the callback's URL
  // (empty: none is offered). An earlier secret is void from now on.
  virtual void asking(const DueValidation& due, const std::string& origin,
                      std::string_view secret_sha256) = 0;

  // What came of it: a consent enables a pending endpoint, a refusal pauses it, NoAnswer has it
  // asked again (next_question_after), or is a refusal. False, and nothing changed: the endpoint
  // was changed since take_due().
  virtual bool conclude(const DueValidation& due, const ValidationVerdict& verdict) = 0;

  // --- for the API
  // A receiver called its callback: consents for the endpoint that is pending, and ends the secret.
  // `rate` replaces what was asked for. nullopt: no such secret, or it was used.
  virtual std::optional<EndpointId> consent(std::string_view secret_sha256,
                                            const std::optional<Consent>& rate) = 0;
};

// NoAnswer after its last repetition is a refusal.
ValidationVerdict final_verdict(const DueValidation& due, const ValidationVerdict& verdict);

}  // namespace sealpost
