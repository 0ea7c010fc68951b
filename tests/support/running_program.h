// A program that a test starts, listens to and ends.
//
// Threads: the public methods are safe from any thread, but the thread that made the object must
// outlive the program: the kernel kills the program when that thread ends, so that an aborted test
// leaves nothing behind. Errors: std::system_error if the program cannot be started.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sealpost {

struct ProgramOptions {
  std::vector<std::string> arguments;                // the first is the program's path
  std::map<std::string, std::string> environment{};  // all of it, with PATH and sanitizer options
  std::filesystem::path directory = ".";
  std::string input{};  // handed in on stdin, which then ends
};

enum class Stream { output, errors };  // stdout, stderr

struct ExitStatus {
  std::optional<int> code;    // of an ordinary exit
  std::optional<int> signal;  // that ended it otherwise
};

class RunningProgram {
 public:
  explicit RunningProgram(const ProgramOptions& options);
  ~RunningProgram();  // SIGKILL unless it ended

  pid_t pid() const;
  void signal(int number);  // nothing if it ended
  // nullopt: still running when the time was up.
  std::optional<ExitStatus> wait_exit(std::chrono::milliseconds timeout) const;

  // Everything written so far, or everything at all once wait_exit() returned a status.
  std::string text(Stream stream) const;
  // The first complete line that the predicate accepts, also one written earlier. nullopt: time is
  // up, or the stream ended without it.
  std::optional<std::string> wait_for_line(Stream stream,
                                           const std::function<bool(const std::string&)>& predicate,
                                           std::chrono::milliseconds timeout) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealpost
