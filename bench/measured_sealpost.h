// Sealpost as one side of a comparison: an installation with a fresh database, which is dropped at
// the end, and what must be true of it afterwards.
//
// Threads: an instance belongs to one thread. Errors: std::runtime_error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/database.h"
#include "bench/durable_postgres.h"
#include "bench/sealpost_installation.h"

namespace sealpost {

class MeasuredSealpost final {
 public:
  // `postgres` must outlive this object.
  MeasuredSealpost(DurablePostgres& postgres, const std::filesystem::path& directory,
                   const std::vector<NewEndpoint>& endpoints);
  ~MeasuredSealpost();
  MeasuredSealpost(const MeasuredSealpost&) = delete;
  MeasuredSealpost& operator=(const MeasuredSealpost&) = delete;

  const std::string& url() const { return url_; }
  Database& database() { return database_; }
  SealpostInstallation& installation() { return installation_; }
  const SealpostInstallation& installation() const { return installation_; }

  // Every event was taken in. Throws if `sealpost serve` ended.
  bool has_taken_all();
  // Every result is committed; asked when every request was answered. Throws likewise.
  bool is_settled();
  // Stops it, and throws unless each of so many deliveries is recorded once and nothing else is.
  void verify(std::int64_t deliveries);

 private:
  DurablePostgres& postgres_;
  std::string url_;
  Database database_;
  SealpostInstallation installation_;
};

}  // namespace sealpost
