// What every store throws when PostgreSQL does not do what was asked. Here and not in storage/,
// because the callers catch it.
#pragma once

#include <stdexcept>
#include <string>

namespace sealpost {

class StorageError : public std::runtime_error {
 public:
  enum class Kind {
    unavailable,  // not connected, connection lost, shutting down, timeout: try again later
    conflict,     // serialization failure or deadlock: try again now
    in_doubt,     // the connection broke during COMMIT: it may or may not have happened
    permanent,    // a bug or a wrong schema: trying again will not help
  };
  StorageError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }
  bool may_retry() const { return kind_ == Kind::unavailable || kind_ == Kind::conflict; }

 private:
  Kind kind_;
};

}  // namespace sealpost
