// One installation of Sealpost for one test: a migrated database of its own, a master key, an
// operator's token, and the processes that the test starts on them.
//
// Threads: one, except where processes say otherwise. Errors: std::runtime_error with what the
// program printed.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "storage/pg_session.h"
#include "tests/e2e/invariants.h"
#include "tests/support/api_client.h"
#include "tests/support/sealpost_process.h"

namespace sealpost {

using Json = nlohmann::json;
using Environment = std::map<std::string, std::string>;

// Events that one INSERT makes. Every payload is different.
struct NewEvents {
  std::string tenant = "default";
  std::string type = "invoice.paid";
  int count = 1;
  std::vector<std::string> paths = {};  // of the endpoints that must get them
};

class Installation {
 public:
  Installation();
  ~Installation();

  // What every process needs: database, key, and leave to call this machine by plain HTTP. `more`
  // wins.
  Environment environment(const Environment& more = {}) const;
  // Starts `serve`, `dispatcher` or `admin-api` and waits until it serves.
  std::unique_ptr<SealpostProcess> start(const std::string& command, const Environment& more = {});
  // With an admin's token.
  ApiClient api(const SealpostProcess& process);
  std::string token();
  const std::filesystem::path& directory() const { return directory_; }

  PgSession& sql() { return sql_; }
  const std::string& database_url() const { return database_url_; }
  // From now on the processes connect there and not directly; sql() stays direct.
  void reach_database_by(const std::string& url) { processes_url_ = url; }
  std::int64_t count(const std::string& sql) { return sql_.query_once(sql).number(0, 0); }

  // Inserts in one transaction, returns the ids, and writes down what must come of it.
  std::vector<std::string> insert(const NewEvents& events);
  const Committed& committed() const { return committed_; }

  // Waits until nothing is pending, delivering or waiting for fan-out.
  [[nodiscard]] bool wait_until_at_rest(std::chrono::milliseconds timeout);
  Stored stored();

 private:
  std::filesystem::path directory_;
  std::string database_url_;
  std::string processes_url_;
  PgSession sql_;
  std::string token_;
  Committed committed_;
  int next_number_ = 1;
};

// Asks every few milliseconds until the answer is yes. False: time is up.
[[nodiscard]] bool eventually(std::chrono::milliseconds timeout,
                              const std::function<bool()>& question);

// The body of POST /v1/webhook-endpoints; `more` is merged in.
Json endpoint_body(const std::string& url, const Json& more = Json::object());

// Own schedule of milliseconds, so that a test sees several attempts.
Json quick_retry(const std::vector<double>& delays_seconds);

}  // namespace sealpost
