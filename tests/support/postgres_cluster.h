// A private PostgreSQL for tests: its own data directory, Unix socket only, no fsync. Everything is
// gone when the test process ends, however it ends: a small shell process waits for that and cleans
// up.
//
// initdb takes a second, so a test program makes one cluster (shared()) and each test a fresh
// database in it, copied from a migrated template (40 ms).
//
// Threads: any, but the methods that stop or start the server must not run side by side.
// Errors: std::runtime_error with the tail of the server's log.
#pragma once

#include <filesystem>
#include <string>

namespace sealpost {

class PostgresCluster {
 public:
  PostgresCluster();
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // The cluster of this test process, made at the first call. With SEALPOST_TEST_CLUSTER set (a
  // libpq key=value string without dbname, of a superuser) that server is used, and cannot be
  // stopped from here.
  static PostgresCluster& shared();

  // How a cluster of ours plans by default: SEALPOST_TEST_PLAN_CACHE_MODE, or as PostgreSQL does.
  static std::string plan_cache_mode();

  // A new, migrated database; returns its URL. It goes away with the cluster.
  std::string create_database();
  // A new database with nothing in it.
  std::string create_empty_database();

  void stop();  // fast shutdown: connections are ended, data is written
  void start();
  void restart_immediate();  // like a crash: no checkpoint, recovery at the start

 private:
  explicit PostgresCluster(std::string external);
  std::string admin_url() const;
  std::string url(const std::string& database) const;
  std::string create(const std::string& template_database);
  void pg_ctl(const std::string& arguments);
  void make_template();

  std::string external_;  // a server that is not ours; empty: ours
  std::filesystem::path directory_;
  int keeper_pipe_ = -1;  // closed when this process ends: the keeper's signal to clean up
  int keeper_pid_ = -1;
  std::string template_;  // empty: not made yet
};

}  // namespace sealpost
