// A judge of the interop tests: judge.mjs or judge.py, which receives deliveries and says what a
// library that we did not write thinks of them. What it prints is described in judge.mjs.
//
// Threads: one. Errors: std::runtime_error with what the judge printed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/running_program.h"

namespace sealpost {

class JudgeProcess {
 public:
  // The program, its script and the files of a certificate: {"node", "judge.mjs", CERT, KEY}.
  explicit JudgeProcess(const std::vector<std::string>& command);

  std::string url(const std::string& path) const;

  // From now on judges what comes to the path as it is told: library, profile, secret, …
  void assign(const std::string& path, const nlohmann::json& assignment);

  // The verdicts about a path, once there are that many.
  std::vector<nlohmann::json> verdicts(const std::string& path, std::size_t count) const;
  // The same, once that many different deliveries were accepted.
  std::vector<nlohmann::json> verdicts_until_accepted(const std::string& path,
                                                      std::size_t deliveries) const;

 private:
  std::string line(const std::function<bool(const nlohmann::json&)>& predicate) const;

  RunningProgram program_;
  int port_;
};

}  // namespace sealpost
