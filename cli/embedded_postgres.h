// The private PostgreSQL of a small installation: the system's binaries, a cluster in the data
// directory, a Unix socket and no network. It is our child process and stops with us, also after
// kill -9.
//
// What is in the data directory:
//   sealpost.lock   who uses the directory now
//   postgres/       the cluster; made beside it and renamed when complete
//   postgres.log    what PostgreSQL and initdb print
//   run/            the socket (elsewhere when the path is too long for a socket, see
//   socket_directory()) database-url    for other commands and psql while it runs master.key the
//   key under which secrets are stored
//
// Trust: whoever may enter the socket's directory (mode 0700) is a superuser. The directory is the
// password. When we are root, PostgreSQL runs as the system user "postgres".
//
// Threads: the main thread only (see cli/child_process.h). Errors: std::runtime_error with the
// remedy.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "cli/child_process.h"
#include "cli/file_lock.h"

namespace sealpost {

class EmbeddedPostgres {
 public:
  // `holder` names the command for whoever finds the directory locked.
  EmbeddedPostgres(std::filesystem::path data_dir, std::string holder, Random& random);
  ~EmbeddedPostgres();  // as stop()

  // Takes the directory's lock, makes the cluster and the master key if there are none yet, and
  // starts the server. Returns when it accepts connections. Throws DirectoryInUse when another
  // process has it.
  void start();

  // Fast shutdown: ends sessions, writes a checkpoint. May be called again.
  void stop();

  // Call every now and then: starts the server again if it ended by itself, at most once in
  // kRestartPause.
  void supervise(MonotonicTime now);

  std::string url() const;  // a libpq URI without a password
  std::filesystem::path master_key_file() const;
  pid_t pid() const;

  // The running instance's URL, if some process serves from this directory.
  static std::optional<std::string> url_of_running(const std::filesystem::path& data_dir);

 private:
  void make_cluster();
  void start_server();
  void wait_until_ready();

  const std::filesystem::path data_dir_;
  const std::string holder_;
  Random& random_;
  std::optional<SystemUser> user_;
  std::filesystem::path binaries_;
  std::filesystem::path socket_dir_;
  std::optional<FileLock> lock_;
  std::optional<ChildProcess> server_;
  MonotonicTime last_start_{};
};

class DirectoryInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sealpost
