#include "cli/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <system_error>

namespace sealpost {
namespace {

constexpr int kNotStarted = 127;  // as shells have it

int open_or_throw(const std::filesystem::path& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0640);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), "cannot open " + path.string());
  return fd;
}

bool become(const SystemUser& user) {
  return setgroups(0, nullptr) == 0 && setgid(user.gid) == 0 && setuid(user.uid) == 0;
}

// Between fork and exec only async-signal-safe calls are allowed: other threads may have held any
// lock.
[[noreturn]] void run_child(const ChildOptions& options, char** arguments, int input, int output,
                            pid_t parent) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (options.user && !become(*options.user)) _exit(kNotStarted);
  if (options.signal_when_parent_dies) {
    // After the change of user, which clears it; and the parent may have died before this line.
    prctl(PR_SET_PDEATHSIG, *options.signal_when_parent_dies);
    if (getppid() != parent) _exit(kNotStarted);
  }
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(kNotStarted);
}

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options) {
  std::vector<char*> arguments;
  for (const std::string& argument : options.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const int input = open_or_throw(options.input.value_or("/dev/null"), O_RDONLY);
  const int output = open_or_throw(options.output, O_WRONLY | O_CREAT | O_APPEND);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) run_child(options, arguments.data(), input, output, parent);
  close(input);
  close(output);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process");
}

ChildProcess::~ChildProcess() {
  if (ended()) return;
  signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::optional<int> ChildProcess::ended() {
  if (exit_code_) return exit_code_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return exit_code_;
}

std::optional<int> ChildProcess::wait(Milliseconds at_most) {
  if (!ended()) wait_for_end(pid_, at_most);
  return ended();
}

void ChildProcess::signal(int number) {
  if (!ended()) kill(pid_, number);
}

void wait_for_end(pid_t pid, Milliseconds at_most) {
  // Not glibc's pidfd_open(): the header of glibc 2.36 cannot be used from C++.
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;  // it has ended and been asked for
  pollfd process{.fd = fd, .events = POLLIN, .revents = 0};
  poll(&process, 1, static_cast<int>(at_most.count()));
  close(fd);
}

std::optional<SystemUser> postgres_user() {
  if (geteuid() != 0) return std::nullopt;
  const passwd* entry = getpwnam("postgres");
  if (entry == nullptr) {
    throw std::runtime_error(
        "PostgreSQL refuses to run as root and there is no user \"postgres\" to run it as. Install "
        "the package "
        "postgresql, or run sealpost as an ordinary user, or set SEALPOST_DATABASE_URL");
  }
  return SystemUser{.name = entry->pw_name, .uid = entry->pw_uid, .gid = entry->pw_gid};
}

}  // namespace sealpost
