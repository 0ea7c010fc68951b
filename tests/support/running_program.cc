#include "tests/support/running_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace sealpost {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  return {ends[0], ends[1]};
}

// What exec() wants, made before fork(): the child of a program with threads may not allocate.
class PointerList {
 public:
  explicit PointerList(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char* const* data() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

// Handed on from our own environment: without its suppressions, a program built with a sanitizer
// fails for what libraries do.
constexpr std::array kInherited{"PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
                                "UBSAN_OPTIONS"};

std::vector<std::string> environment_of(const ProgramOptions& options) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : options.environment) variables.push_back(name + '=' + value);
  for (const char* const name : kInherited) {
    const char* const value = std::getenv(name);
    if (value == nullptr || options.environment.contains(name)) continue;
    variables.push_back(std::string(name) + '=' + value);
  }
  return variables;
}

void write_all(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = write(fd, text.data() + at, text.size() - at);
    if (written <= 0) return;  // the program does not want it
    at += static_cast<std::size_t>(written);
  }
}

}  // namespace

struct RunningProgram::State {
  pid_t start(const ProgramOptions& options, int in, int out, int err) const;
  void read_streams(int out, int err);
  void reap();
  bool append(Stream stream, int fd);

  std::string& text(Stream stream) { return stream == Stream::output ? output : errors; }

  pid_t pid = -1;
  std::thread reader;
  std::thread waiter;

  // Guarded by `mutex`.
  mutable std::mutex mutex;
  mutable std::condition_variable news;
  std::string output;
  std::string errors;
  bool streams_ended = false;
  std::optional<ExitStatus> exit;
};

pid_t RunningProgram::State::start(const ProgramOptions& options, int in, int out, int err) const {
  const PointerList arguments(options.arguments);
  const PointerList environment(environment_of(options));
  const std::string directory = options.directory.string();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child > 0) return child;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before prctl()
  if (chdir(directory.c_str()) != 0) _exit(127);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execvpe(arguments.data()[0], arguments.data(), environment.data());
  _exit(127);
}

// Reads what is there. False at the end of the stream.
bool RunningProgram::State::append(Stream stream, int fd) {
  std::array<char, 65536> buffer;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  const std::lock_guard lock(mutex);
  text(stream).append(buffer.data(), static_cast<std::size_t>(got));
  news.notify_all();
  return true;
}

void RunningProgram::State::read_streams(int out, int err) {
  std::array<pollfd, 2> streams{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (poll(streams.data(), streams.size(), -1) < 0) continue;
    for (const std::size_t i : {0U, 1U}) {
      if (streams[i].revents == 0) continue;
      if (!append(i == 0 ? Stream::output : Stream::errors, streams[i].fd)) streams[i].fd = -1;
    }
  }
  close(out);
  close(err);
  const std::lock_guard lock(mutex);
  streams_ended = true;
  news.notify_all();
}

// Waits without reaping first: until the pid is given back under the lock, signal() cannot hit a
// stranger.
void RunningProgram::State::reap() {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const std::lock_guard lock(mutex);
  int status = 0;
  waitpid(pid, &status, 0);
  exit = WIFEXITED(status) ? ExitStatus{.code = WEXITSTATUS(status), .signal = std::nullopt}
                           : ExitStatus{.code = std::nullopt, .signal = WTERMSIG(status)};
  news.notify_all();
}

RunningProgram::RunningProgram(const ProgramOptions& options) : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);  // a program that does not read its input is no reason to die
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  state_->pid = state_->start(options, in.read_end, out.write_end, err.write_end);
  for (const int fd : {in.read_end, out.write_end, err.write_end}) close(fd);
  state_->reader =
      std::thread([this, out, err] { state_->read_streams(out.read_end, err.read_end); });
  state_->waiter = std::thread([this] { state_->reap(); });
  write_all(in.write_end, options.input);
  close(in.write_end);
}

RunningProgram::~RunningProgram() {
  signal(SIGKILL);
  state_->waiter.join();
  state_->reader.join();
}

pid_t RunningProgram::pid() const { return state_->pid; }

void RunningProgram::signal(int number) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->exit) kill(state_->pid, number);
}

std::optional<ExitStatus> RunningProgram::wait_exit(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(state_->mutex);
  state_->news.wait_for(lock, timeout, [&] { return state_->exit && state_->streams_ended; });
  return state_->exit;
}

std::string RunningProgram::text(Stream stream) const {
  const std::lock_guard lock(state_->mutex);
  return state_->text(stream);
}

std::optional<std::string> RunningProgram::wait_for_line(
    Stream stream, const std::function<bool(const std::string&)>& predicate,
    std::chrono::milliseconds timeout) const {
  std::unique_lock lock(state_->mutex);
  const std::string& text = state_->text(stream);
  std::optional<std::string> found;
  std::size_t at = 0;
  const auto look = [&] {
    for (std::size_t end = text.find('\n', at); end != std::string::npos;
         end = text.find('\n', at)) {
      std::string line = text.substr(at, end - at);
      at = end + 1;
      if (!predicate(line)) continue;
      found = std::move(line);
      return true;
    }
    return state_->streams_ended;
  };
  state_->news.wait_for(lock, timeout, look);
  return found;
}

}  // namespace sealpost
