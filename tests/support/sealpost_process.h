// The real binary, started by a test: free ports, log lines as JSON, and a short way to signals.
//
// Threads and errors: as tests/support/running_program.h.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/running_program.h"

namespace sealpost {

// Runs a command to its end: `sealpost migrate`, `token create`, `verify`.
struct CommandResult {
  std::optional<ExitStatus> exit;  // nullopt: it did not end in time and was killed
  std::string output;
  std::string errors;
  bool succeeded() const { return exit && exit->code == 0; }
};

struct CommandOptions {
  std::vector<std::string> arguments;                // without the program
  std::map<std::string, std::string> environment{};  // SEALPOST_…
  std::filesystem::path directory = ".";
  std::string input{};
  std::string ulimit{};  // options of the shell's ulimit, for this process only
};

CommandResult run_sealpost(const CommandOptions& options,
                           std::chrono::milliseconds timeout = std::chrono::seconds{60});

// A command that runs until it is told to stop: `serve`, `dispatcher`, `admin-api`, `listen`.
class SealpostProcess {
 public:
  // Listens on free ports and logs JSON unless `options.environment` says otherwise.
  explicit SealpostProcess(CommandOptions options);

  // Waits for the log line of that event, also an earlier one. nullopt: time is up or the process
  // ended.
  std::optional<std::string> wait_for_log(std::string_view event,
                                          std::chrono::milliseconds timeout) const;
  // Waits until it serves. False: it ended or took too long; errors() says why.
  [[nodiscard]] bool wait_until_ready(std::chrono::milliseconds timeout = std::chrono::seconds{60});
  // Known once it serves.
  int api_port() const;
  int metrics_port() const;

  void terminate();  // SIGTERM: drains
  void kill_hard();  // SIGKILL: does not
  void signal(int number) { program_.signal(number); }
  std::optional<ExitStatus> wait_exit(std::chrono::milliseconds timeout) const {
    return program_.wait_exit(timeout);
  }
  pid_t pid() const { return program_.pid(); }
  std::string errors() const { return program_.text(Stream::errors); }
  std::string output() const { return program_.text(Stream::output); }
  const RunningProgram& program() const { return program_; }

 private:
  RunningProgram program_;
  std::optional<int> api_port_;
  std::optional<int> metrics_port_;
};

}  // namespace sealpost
