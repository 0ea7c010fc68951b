// A program that we start and watch: PostgreSQL's own tools.
//
// Threads: start and use one from the main thread. The kernel ties "stop with your parent" to the
// thread that forked, and the main thread is the only one that lives as long as the process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace sealpost {

// A system user to become; PostgreSQL refuses to run as root.
struct SystemUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct ChildOptions {
  std::vector<std::string> arguments;            // the first is the program's path
  std::optional<SystemUser> user{};              // none: stays who we are
  std::filesystem::path output;                  // stdout and stderr are appended to it
  std::optional<std::filesystem::path> input{};  // none: nothing to read
  std::optional<int> signal_when_parent_dies{};  // sent by the kernel, also after kill -9 of ours
};

class ChildProcess {
 public:
  // Runs in a session of its own, so that Ctrl-C on our terminal does not reach it before we have
  // drained. Throws std::system_error if it cannot be started at all; a program that cannot be
  // executed ends with 127.
  explicit ChildProcess(const ChildOptions& options);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();  // SIGKILLs and reaps it unless it has ended

  pid_t pid() const { return pid_; }
  // nullopt while it runs; else its exit code, or 128 + the signal that ended it.
  std::optional<int> ended();
  std::optional<int> wait(Milliseconds at_most);
  void signal(int number);

 private:
  pid_t pid_ = 0;
  std::optional<int> exit_code_;
};

// Returns when the process has ended, ours or not, or the time is up.
void wait_for_end(pid_t pid, Milliseconds at_most);

// The user whose duty is to run PostgreSQL, when we are root; nullopt otherwise. Throws
// std::runtime_error with the remedy if root has nobody to become.
std::optional<SystemUser> postgres_user();

}  // namespace sealpost
