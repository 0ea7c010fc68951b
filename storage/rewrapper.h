// Encrypts what is stored under an older master key again, under the newest: in batches of rows
// that are locked for milliseconds, while everything else goes on. What was done stays done, so it
// may be interrupted and started again.
//
// Plaintexts do not change, so neither do the versions of endpoints: nobody loads anything again.
//
// Threads: belongs to one thread. Errors: StorageError.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/pg_session.h"
#include "storage/sealer.h"

namespace sealpost {

struct RewrapReport {
  int rewrapped = 0;
  // "endpoints.headers of we_…, encrypted under 0123456789abcdef": the key is not among ours, or
  // the row is damaged.
  std::vector<std::string> unreadable;
};

class Rewrapper {
 public:
  static constexpr int kBatch = 100;  // rows

  // `random` must live longer.
  Rewrapper(DatabaseOptions options, std::shared_ptr<MasterKeys> keys, Random& random);

  // Goes through every column of storage/sealed_columns.h until nothing is left to do, also what
  // others wrote under an older key meanwhile.
  RewrapReport run();

 private:
  struct Pass {
    int rewrapped = 0;
    std::vector<std::string> unreadable;
  };
  void go_through(const SealedColumn& column, Pass& pass);
  // The last row's id; nullopt: there was none.
  std::optional<std::string> rewrap_batch(const SealedColumn& column, const std::string& after,
                                          Pass& pass);

  PgSession session_;
  Sealer sealer_;
};

}  // namespace sealpost
