#include "tests/support/postgres_cluster.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "storage/migrator.h"
#include "storage/pg_session.h"

namespace sealpost {
namespace {

namespace fs = std::filesystem;

// Waits until the pipe from the test process is closed, then stops the server and removes its
// directory. Signals to the test's process group must not end it before that.
constexpr const char* kKeeper = R"sh(
trap '' INT TERM HUP
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
fi
rm -rf "$1"
)sh";

std::atomic<int> g_databases{0};

[[noreturn]] void fail(const std::string& what, const fs::path& log) {
  std::ifstream file(log);
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  throw std::runtime_error(what + "\n" + all.substr(all.size() > 4000 ? all.size() - 4000 : 0));
}

// The newest installed server; its programs are not on the PATH in Debian.
fs::path binaries() {
  int newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string name = entry.path().filename();
    int version = 0;
    std::from_chars(name.data(), name.data() + name.size(), version);
    if (fs::exists(entry.path() / "bin/initdb")) newest = std::max(newest, version);
  }
  if (newest == 0)
    throw std::runtime_error("no PostgreSQL server found: apt-get install postgresql");
  return fs::path("/usr/lib/postgresql") / std::to_string(newest) / "bin";
}

// PostgreSQL refuses to run as root.
std::string as_server_user(const std::string& command) {
  return ::geteuid() == 0 ? "runuser -u postgres -- " + command : command;
}

fs::path make_directory() {
  std::string pattern = (fs::temp_directory_path() / "sealpost-test-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a directory " + pattern);
  if (::geteuid() == 0) {
    const std::string chown = "chown postgres: " + pattern;
    if (std::system(chown.c_str()) != 0) throw std::runtime_error("no user postgres");
  }
  return pattern;
}

}  // namespace

std::string PostgresCluster::plan_cache_mode() {
  const char* mode = std::getenv("SEALPOST_TEST_PLAN_CACHE_MODE");
  return mode ? mode : "auto";
}

PostgresCluster& PostgresCluster::shared() {
  static PostgresCluster* cluster = [] {
    const char* external = std::getenv("SEALPOST_TEST_CLUSTER");
    return external ? new PostgresCluster(external) : new PostgresCluster();
  }();
  return *cluster;  // never destroyed: the keeper ends it after the process
}

PostgresCluster::PostgresCluster(std::string external) : external_(std::move(external)) {}

PostgresCluster::PostgresCluster() : directory_(make_directory()) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  keeper_pipe_ = ends[1];
  keeper_pid_ = ::fork();
  if (keeper_pid_ == 0) {
    ::setsid();
    ::dup2(ends[0], STDIN_FILENO);
    ::execl("/bin/sh", "sh", "-c", kKeeper, "keeper", directory_.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);
  const std::string log = (directory_ / "initdb.log").string();
  const std::string initdb =
      as_server_user((binaries() / "initdb").string()) + " -D " + (directory_ / "data").string() +
      " -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync > " + log + " 2>&1";
  if (std::system(initdb.c_str()) != 0) fail("initdb failed", log);
  std::ofstream(directory_ / "data/postgresql.conf", std::ios::app)
      << "listen_addresses = ''\nunix_socket_directories = '" << directory_.string()
      << "'\nfsync = off\nmax_connections = 200\nshared_buffers = 128MB\n"
         "max_wal_size = 2GB\nlog_min_messages = warning\n"
      << "plan_cache_mode = " << plan_cache_mode() << '\n';
  start();
}

PostgresCluster::~PostgresCluster() {
  if (keeper_pipe_ < 0) return;
  ::close(keeper_pipe_);
  ::waitpid(keeper_pid_, nullptr, 0);
}

void PostgresCluster::pg_ctl(const std::string& arguments) {
  if (!external_.empty())
    throw std::runtime_error("the server of SEALPOST_TEST_CLUSTER is not ours");
  const std::string log = (directory_ / "data/server.log").string();
  const std::string command = as_server_user((binaries() / "pg_ctl").string()) + " -D " +
                              (directory_ / "data").string() + " -w -s -l " + log + " " +
                              arguments + " > /dev/null 2>&1 < /dev/null";
  if (std::system(command.c_str()) != 0) fail("pg_ctl " + arguments + " failed", log);
}

void PostgresCluster::start() { pg_ctl("start"); }
void PostgresCluster::stop() { pg_ctl("-m fast stop"); }

void PostgresCluster::restart_immediate() {
  pg_ctl("-m immediate stop");
  start();
}

std::string PostgresCluster::url(const std::string& database) const {
  if (!external_.empty()) return external_ + " dbname=" + database;
  return "postgresql://postgres@/" + database + "?host=" + directory_.string();
}

std::string PostgresCluster::admin_url() const { return url("postgres"); }

std::string PostgresCluster::create(const std::string& template_database) {
  const std::string name =
      "test_" + std::to_string(::getpid()) + "_" + std::to_string(g_databases.fetch_add(1));
  PgSession session({.url = admin_url()});
  session.query_once("CREATE DATABASE " + name + " TEMPLATE " + template_database);
  return name;
}

void PostgresCluster::make_template() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (!template_.empty()) return;
  const std::string name = create("template0");
  Migrator({.url = url(name)}).apply();
  template_ = name;
}

std::string PostgresCluster::create_database() {
  make_template();
  return url(create(template_));
}

std::string PostgresCluster::create_empty_database() { return url(create("template0")); }

}  // namespace sealpost
