#include "cli/embedded_postgres.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "base/log.h"
#include "base/master_key.h"
#include "cli/postgres_directories.h"
#include "cli/private_file.h"

namespace sealpost {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kInitLimit{120'000};
constexpr Milliseconds kReadyLimit{120'000};  // crash recovery replays up to max_wal_size
constexpr Milliseconds kStopLimit{60'000};
constexpr Milliseconds kQuickStopLimit{10'000};
constexpr Milliseconds kOthersLimit{10'000};  // a short command that holds the directory
constexpr int kLookAgain = 10;                // ms, for what cannot be waited for
constexpr std::chrono::seconds kRestartPause{2};
constexpr int kStartTries = 5;

// Written once into the new cluster's postgresql.conf; from then on the operator's to change.
constexpr std::string_view kClusterSettings = R"(
# ---- set by sealpost when it made this cluster; change what you like
shared_buffers = 256MB
max_connections = 200
max_wal_size = 2GB                    # checkpoints by time, not by volume, under load
min_wal_size = 256MB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1                # solid state
jit = off                             # compiling costs more than any statement here
autovacuum_naptime = 10s              # queue tables turn over quickly
autovacuum_vacuum_cost_delay = 0
log_min_messages = warning
log_checkpoints = off
log_timezone = 'UTC'
timezone = 'UTC'
)";

std::string last_lines(const fs::path& log) {
  std::ifstream stream(log, std::ios::ate);
  constexpr std::streamoff kTail = 600;
  const std::streamoff size = stream.tellg();
  stream.seekg(size > kTail ? size - kTail : 0);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// The first line of postmaster.pid, if it names a postmaster of this very cluster. Process ids are
// reused, so the working directory, which is the cluster's, is checked as well.
std::optional<pid_t> running_postmaster(const fs::path& cluster) {
  std::ifstream stream(cluster / "postmaster.pid");
  pid_t pid = 0;
  if (!(stream >> pid) || pid <= 1) return std::nullopt;
  std::error_code error;
  const fs::path directory = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), error);
  if (error || directory != fs::canonical(cluster, error)) return std::nullopt;
  return pid;
}

// A server of an earlier process that was killed: it got its stop signal from the kernel and may
// need a moment.
void stop_leftover(const fs::path& cluster) {
  const auto pid = running_postmaster(cluster);
  if (!pid) return;
  log_info("postgres.leftover_stopping", {{"pid", static_cast<std::int64_t>(*pid)}});
  for (const auto& [number, limit] :
       {std::pair{SIGINT, kStopLimit}, std::pair{SIGQUIT, kQuickStopLimit}}) {
    kill(*pid, number);
    wait_for_end(*pid, limit);
    if (!running_postmaster(cluster)) return;
  }
  throw std::runtime_error(fmt::format(
      "the PostgreSQL of an earlier run (pid {}) does not stop. End it, then start again", *pid));
}

std::string percent_encoded(const std::string& path) {
  std::string text;
  for (const char c : path) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

void sync_directory(const fs::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

EmbeddedPostgres::EmbeddedPostgres(fs::path data_dir, std::string holder, Random& random)
    : data_dir_(std::move(data_dir)), holder_(std::move(holder)), random_(random) {}

EmbeddedPostgres::~EmbeddedPostgres() { stop(); }

void EmbeddedPostgres::start() {
  user_ = postgres_user();
  binaries_ = postgres_binaries();
  make_data_directory(data_dir_, user_);
  const fs::path lock_file = data_dir_ / "sealpost.lock";
  const auto deadline = SystemClock{}.monotonic_now() + kOthersLimit;
  while (!(lock_ = FileLock::try_take(lock_file, fmt::format("{} (pid {})", holder_, getpid())))) {
    const std::string other = FileLock::read_holder(lock_file);
    if (other.starts_with("serve") || SystemClock{}.monotonic_now() > deadline) {
      throw DirectoryInUse(fmt::format(
          "{} is in use by sealpost {}. Stop that one, or give this one another directory "
          "with SEALPOST_DATA_DIR",
          data_dir_.string(), other));
    }
    poll(nullptr, 0, kLookAgain);
  }
  fs::remove(data_dir_ / "database-url");
  if (!fs::exists(data_dir_ / "postgres")) make_cluster();
  if (!fs::exists(master_key_file())) {
    throw std::runtime_error(fmt::format(
        "{} is missing, but the database beside it exists: without this key its secrets "
        "cannot be read. Put the key back from your backup",
        master_key_file().string()));
  }
  stop_leftover(data_dir_ / "postgres");
  socket_dir_ = make_socket_directory(data_dir_, user_);
  start_server();
  wait_until_ready();
  write_private_file(data_dir_ / "database-url", url());
}

// The key comes first: a cluster without its key would have to be refused at the next start.
void EmbeddedPostgres::make_cluster() {
  if (!fs::exists(master_key_file())) create_master_key(master_key_file(), random_);
  const fs::path fresh = data_dir_ / "postgres.new";
  const fs::path log = data_dir_ / "postgres.log";
  fs::remove_all(fresh);  // of a start that was interrupted
  fs::create_directory(fresh);
  own_directory(fresh, user_);
  log_info("postgres.cluster_making", {{"directory", data_dir_.string()}});

  const auto run = [&](std::vector<std::string> arguments, std::optional<fs::path> input) {
    const std::string program = arguments.front();
    ChildProcess child({.arguments = std::move(arguments),
                        .user = user_,
                        .output = log,
                        .input = std::move(input),
                        .signal_when_parent_dies = SIGKILL});
    if (child.wait(kInitLimit) == 0) return;
    throw std::runtime_error(
        fmt::format("{} failed. The end of {}:\n{}", program, log.string(), last_lines(log)));
  };
  run({binaries_ / "initdb", "--pgdata=" + fresh.string(), "--username=sealpost",
       "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C.UTF-8",
       "--data-checksums", "--no-instructions"},
      std::nullopt);
  std::ofstream(fresh / "postgresql.conf", std::ios::app) << kClusterSettings;
  const fs::path statements = data_dir_ / "create-database.sql";
  std::ofstream(statements, std::ios::trunc) << "CREATE DATABASE sealpost\n";
  run({binaries_ / "postgres", "--single", "-c", "exit_on_error=on", "-D", fresh, "postgres"},
      statements);
  fs::remove(statements);
  fs::rename(fresh, data_dir_ / "postgres");
  sync_directory(data_dir_);
}

void EmbeddedPostgres::start_server() {
  last_start_ = SystemClock{}.monotonic_now();
  server_.emplace(ChildOptions{
      .arguments = {binaries_ / "postgres", "-D", data_dir_ / "postgres", "-c",
                    "listen_addresses=", "-c", "unix_socket_directories=" + socket_dir_.string(),
                    "-c", "unix_socket_permissions=0700", "-c", "fsync=on", "-c",
                    "full_page_writes=on", "-c", "synchronous_commit=on"},
      .user = user_,
      .output = data_dir_ / "postgres.log",
      .input = std::nullopt,
      .signal_when_parent_dies = SIGINT});
}

// As pg_ctl does it: the eighth line of postmaster.pid turns to "ready".
void EmbeddedPostgres::wait_until_ready() {
  const fs::path pid_file = data_dir_ / "postgres" / "postmaster.pid";
  const auto deadline = SystemClock{}.monotonic_now() + kReadyLimit;
  int tries = 1;
  while (SystemClock{}.monotonic_now() < deadline) {
    std::ifstream stream(pid_file);
    std::string line;
    pid_t owner = 0;
    for (int number = 1; std::getline(stream, line); ++number) {
      if (number == 1) owner = static_cast<pid_t>(std::atol(line.c_str()));
      if (number == 8 && line.starts_with("ready") && owner == server_->pid()) return;
    }
    if (server_->ended()) {
      // Sessions of a killed server may hold its shared memory for some milliseconds more.
      if (++tries > kStartTries) break;
      poll(nullptr, 0, kLookAgain * 20);
      start_server();
    }
    server_->wait(Milliseconds(kLookAgain));
  }
  const fs::path log = data_dir_ / "postgres.log";
  throw std::runtime_error(fmt::format("the private PostgreSQL did not start. The end of {}:\n{}",
                                       log.string(), last_lines(log)));
}

void EmbeddedPostgres::stop() {
  if (!server_) return;
  std::error_code error;
  fs::remove(data_dir_ / "database-url", error);
  server_->signal(SIGINT);
  if (!server_->wait(kStopLimit)) {
    log_warn("postgres.stop_slow",
             {{"action", "immediate shutdown; it will recover at the next start"}});
    server_->signal(SIGQUIT);
    server_->wait(kQuickStopLimit);
  }
  server_.reset();
  lock_.reset();
}

void EmbeddedPostgres::supervise(MonotonicTime now) {
  if (!server_) return;
  const auto code = server_->ended();
  if (!code || now - last_start_ < kRestartPause) return;
  log_error("postgres.ended", {{"exit_code", *code},
                               {"action", "restarting it"},
                               {"log", (data_dir_ / "postgres.log").string()}});
  start_server();
}

std::string EmbeddedPostgres::url() const {
  return fmt::format("postgresql:///sealpost?host={}&user=sealpost",
                     percent_encoded(socket_dir_.string()));
}

fs::path EmbeddedPostgres::master_key_file() const { return data_dir_ / "master.key"; }

pid_t EmbeddedPostgres::pid() const { return server_ ? server_->pid() : 0; }

std::optional<std::string> EmbeddedPostgres::url_of_running(const fs::path& data_dir) {
  std::ifstream stream(data_dir / "database-url");
  std::string url;
  if (!std::getline(stream, url) || !running_postmaster(data_dir / "postgres")) return std::nullopt;
  return url;
}

}  // namespace sealpost
