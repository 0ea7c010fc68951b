// Signing secrets as operators handle them: rotate, activate, revoke.
//
// An endpoint has one secret, and for a while after a rotation two: the old one stays valid until
// its grace ends, so that the receiver can change over in its own time. Which of the two signs, and
// in which order, is core/secret_rotation.h's matter.
//
// Retirement takes kMinSecretGrace even where an operator asks for none: that is how long a running
// dispatcher may need to learn of the new secret, and until then the old one counts as valid. A
// dispatcher that cannot look for changes sends nothing after kEndpointsTrusted, which is shorter.
// So no request is ever signed only with a retired secret.
//
// Threads: an instance belongs to one thread. Errors: StorageError; then nothing was changed unless
// kind() is in_doubt.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/secret_text.h"
#include "core/ids.h"

namespace sealpost {

struct SecretRecord {
  SecretId id;
  std::optional<std::string> fingerprint;  // none: not made by us, and a hash could be guessed at
  std::string reason;                      // of the rotation that made it
  WallTime created_at;
  std::optional<WallTime> activated_at;
  std::optional<WallTime> expires_at;  // none: the current secret
  bool expired = false;                // by the store's clock
};

struct SecretRotation {
  SecretText secret;
  bool ours = true;        // made by new_signing_secret(); else handed in
  std::string public_key;  // its public half, where there is one (core/signing_secret.h)
  std::string reason;
  std::chrono::seconds grace{0};  // of the secret that is replaced
  bool force = false;             // also while two secrets are valid; the older one retires at once
};

struct RotatedSecrets {
  SecretRecord now;
  std::optional<SecretRecord> before;  // none: the endpoint had no valid secret
};

enum class SecretRefusal {
  not_found,        // the endpoint
  version_differs,  // the endpoint was changed meanwhile
  in_progress,      // a rotation's grace has not ended
  no_rotation,      // there never was an older secret
  expired,          // the older secret retired already
};

class SecretStore {
 public:
  virtual ~SecretStore() = default;

  // Makes `rotation.secret` the endpoint's secret. `expected_version` is the endpoint's, for which
  // the secret was checked.
  virtual std::variant<RotatedSecrets, SecretRefusal> rotate(
      const std::optional<std::string>& tenant, const EndpointId& endpoint, int expected_version,
      const SecretRotation& rotation) = 0;

  // From now on the new secret is the one that signs where only one can; the old one stays valid
  // for as long as it was to. The newest secret first, in all three.
  virtual std::variant<std::vector<SecretRecord>, SecretRefusal> activate(
      const std::optional<std::string>& tenant, const EndpointId& endpoint) = 0;
  // Retires the old secret as soon as can be.
  virtual std::variant<std::vector<SecretRecord>, SecretRefusal> revoke_previous(
      const std::optional<std::string>& tenant, const EndpointId& endpoint) = 0;
  virtual std::variant<std::vector<SecretRecord>, SecretRefusal> list(
      const std::optional<std::string>& tenant, const EndpointId& endpoint) = 0;
};

}  // namespace sealpost
