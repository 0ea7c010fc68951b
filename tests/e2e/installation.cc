#include "tests/e2e/installation.h"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "base/master_key.h"
#include "base/random.h"
#include "tests/support/postgres_cluster.h"

namespace sealpost {
namespace {

constexpr std::chrono::milliseconds kAskAgain{10};

// "http://127.0.0.1:40123/a" → "/a"
constexpr const char* kPathOfEndpoint = "regexp_replace(e.url, '^https?://[^/]+', '')";

std::filesystem::path make_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sealpost-e2e-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  return pattern;
}

}  // namespace

Installation::Installation()
    : directory_(make_directory()),
      database_url_(PostgresCluster::shared().create_database()),
      processes_url_(database_url_),
      sql_({.url = database_url_, .application_name = "e2e-test"}) {
  // PostgreSQL's own user must reach an embedded cluster below it.
  std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  SystemRandom random;
  create_master_key(directory_ / "master.key", random);
}

Installation::~Installation() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Environment Installation::environment(const Environment& more) const {
  Environment variables = more;
  variables.merge(Environment{{"SEALPOST_DATABASE_URL", processes_url_},
                              {"SEALPOST_MASTER_KEY_FILE", (directory_ / "master.key").string()},
                              {"SEALPOST_DATA_DIR", (directory_ / "data").string()},
                              {"SEALPOST_ALLOW_RANGES", "127.0.0.0/8"},
                              {"SEALPOST_ALLOW_HTTP", "true"}});
  return variables;
}

std::unique_ptr<SealpostProcess> Installation::start(const std::string& command,
                                                     const Environment& more) {
  auto process = std::make_unique<SealpostProcess>(
      CommandOptions{.arguments = {command}, .environment = environment(more)});
  if (!process->wait_until_ready()) {
    throw std::runtime_error(command + " does not serve:\n" + process->errors());
  }
  return process;
}

std::string Installation::token() {
  if (!token_.empty()) return token_;
  const CommandResult result = run_sealpost(
      {.arguments = {"token", "create", "--role", "admin"}, .environment = environment()});
  const auto begin = result.output.find("sp_");
  if (!result.succeeded() || begin == std::string::npos) {
    throw std::runtime_error("token create: " + result.output + result.errors);
  }
  token_ = result.output.substr(begin, result.output.find_first_of(" \n", begin) - begin);
  return token_;
}

ApiClient Installation::api(const SealpostProcess& process) {
  return ApiClient(process.api_port(), token());
}

std::vector<std::string> Installation::insert(const NewEvents& events) {
  const PgRows rows = sql_.query_once(
      "INSERT INTO sealpost.outbox (tenant, type, payload) "
      "SELECT $1, $2, ('{\"number\": ' || n || ', \"filler\": \"' || repeat('x', 200) || "
      "'\"}')::json "
      "FROM generate_series($3::int, $4::int) n RETURNING id, payload::text",
      PgParameters()
          .add(events.tenant)
          .add(events.type)
          .add(next_number_)
          .add(next_number_ + events.count - 1));
  next_number_ += events.count;
  std::vector<std::string> ids;
  for (int row = 0; row < rows.size(); ++row) {
    ids.push_back(rows.text(row, 0));
    committed_.payloads[ids.back()] = rows.text(row, 1);
    for (const std::string& path : events.paths) committed_.deliveries.insert({ids.back(), path});
  }
  return ids;
}

bool Installation::wait_until_at_rest(std::chrono::milliseconds timeout) {
  return eventually(timeout, [&] {
    return count(
               "SELECT (SELECT count(*) FROM sealpost.deliveries) + "
               "(SELECT count(*) FROM sealpost.intake)") == 0;
  });
}

Stored Installation::stored() {
  const std::string path = kPathOfEndpoint;
  const std::string finals =
      "(SELECT id, event_id, endpoint_id, state, finished_at FROM sealpost.delivery_history "
      "UNION ALL SELECT id, event_id, endpoint_id, 'failed', finished_at FROM "
      "sealpost.dead_letters)";
  Stored stored;
  const PgRows ends =
      sql_.query_once("SELECT f.event_id, " + path +
                      ", f.state, (extract(epoch FROM f.finished_at) * 1000000)::bigint "
                      "FROM " +
                      finals + " f JOIN sealpost.endpoints e ON e.id = f.endpoint_id");
  for (int row = 0; row < ends.size(); ++row) {
    stored.finals.push_back({.name = {ends.text(row, 0), ends.text(row, 1)},
                             .state = ends.text(row, 2),
                             .finished_at = ends.time(row, 3)});
  }
  const PgRows attempts =
      sql_.query_once("SELECT f.event_id, " + path + ", count(*) FROM " + finals +
                      " f "
                      "JOIN sealpost.endpoints e ON e.id = f.endpoint_id "
                      "JOIN sealpost.attempts a ON a.delivery_id = f.id GROUP BY 1, 2");
  for (int row = 0; row < attempts.size(); ++row) {
    stored.attempts[{attempts.text(row, 0), attempts.text(row, 1)}] =
        static_cast<std::size_t>(attempts.number(row, 2));
  }
  stored.unfinished =
      static_cast<std::size_t>(count("SELECT (SELECT count(*) FROM sealpost.deliveries) + (SELECT "
                                     "count(*) FROM sealpost.intake)"));
  stored.leased = static_cast<std::size_t>(
      count("SELECT count(*) FROM sealpost.deliveries WHERE lease_epoch IS NOT NULL"));
  return stored;
}

bool eventually(std::chrono::milliseconds timeout, const std::function<bool()>& question) {
  const MonotonicTime deadline = SystemClock().monotonic_now() + timeout;
  while (!question()) {
    if (SystemClock().monotonic_now() >= deadline) return false;
    std::this_thread::sleep_for(kAskAgain);
  }
  return true;
}

Json endpoint_body(const std::string& url, const Json& more) {
  Json body = {{"url", url}, {"enabled_events", {"*"}}};
  body.update(more);
  return body;
}

Json quick_retry(const std::vector<double>& delays_seconds) {
  return {{"retry", {{"delays_seconds", delays_seconds}, {"jitter", 0}}}};
}

}  // namespace sealpost
