// A receiver whose sender rotates its secrets, and perhaps the keys it encrypts for, all the time.
// It keeps to one secret and one way to read a request, refuses by 403 what it cannot verify and by
// 400 what it cannot open, and knows afterwards whether a request was signed with a secret that was
// valid.
//
// Its reading of the dialects is its own, not that of core/verify.h.
//
// Threads: safe from any; answer() runs on the receiver's.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret_text.h"
#include "tests/support/receiver.h"

namespace sealpost {

enum class Holds { newest, previous };    // which secret, and which private key
enum class Reads { every, first, last };  // of several signatures

struct PartyKind {
  std::string path;
  std::string profile;  // stripe, itpay, pandora or standard-asymmetric
  Holds holds = Holds::newest;
  Reads reads = Reads::every;
  std::string tenant{};
};

class RotatingParty {
 public:
  explicit RotatingParty(PartyKind kind) : kind_(std::move(kind)) {}

  Answer answer(const LedgerEntry& request) const;

  // The endpoint's new secret, or its public key. The one before the previous retires: whoever
  // rotates, forces it.
  void got_secret(const std::string& text, WallTime made_at);
  // The previous secret is retired.
  void previous_retires(WallTime at);
  // From now on it holds the newest secret.
  void changes_over();

  // From now on bodies have to be encrypted, and this opens them. A receiver that holds the
  // previous key reads the members of the document only, one with the newest looks among the
  // recipients too.
  void opens_with(const SecretText& private_key);

  // Whether it was signed with a secret that had not retired when it was signed.
  bool signed_with_a_valid_secret(const LedgerEntry& request) const;
  bool signed_by_the_newest_alone(const LedgerEntry& request) const;
  // The body that was encrypted, without the spaces at its end; of one that was not, as it came.
  // nullopt: none of the keys that this party ever had opens it.
  std::optional<std::string> plain_body(const LedgerEntry& request) const;

  const PartyKind& kind() const { return kind_; }
  std::string api_path;  // of the endpoint

 private:
  struct Known {
    std::string text;
    WallTime retires_at;
  };
  bool opens(const LedgerEntry& request) const;

  const PartyKind kind_;
  mutable std::mutex mutex_;
  bool changed_over_ = false;
  std::vector<Known> secrets_;            // the newest last
  std::vector<SecretText> private_keys_;  // likewise
};

}  // namespace sealpost
