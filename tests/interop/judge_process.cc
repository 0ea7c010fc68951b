#include "tests/interop/judge_process.h"

#include <httplib.h>

#include <chrono>
#include <set>
#include <stdexcept>

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 30s;  // some libraries take seconds to load

}  // namespace

JudgeProcess::JudgeProcess(const std::vector<std::string>& command)
    : program_({.arguments = command, .directory = SEALPOST_INTEROP_DIR}),
      port_(nlohmann::json::parse(line([](const nlohmann::json&) { return true; })).at("port")) {}

std::string JudgeProcess::url(const std::string& path) const {
  return "https://127.0.0.1:" + std::to_string(port_) + path;
}

void JudgeProcess::assign(const std::string& path, const nlohmann::json& assignment) {
  httplib::SSLClient client("127.0.0.1", port_);
  client.enable_server_certificate_verification(false);  // Sealpost verifies it
  client.set_read_timeout(kPatience);
  const auto result = client.Put(path, assignment.dump(), "application/json");
  if (!result || result->status != 204) {
    throw std::runtime_error("cannot assign " + assignment.dump() + ": " +
                             program_.text(Stream::errors));
  }
}

std::vector<nlohmann::json> JudgeProcess::verdicts(const std::string& path,
                                                   std::size_t count) const {
  std::vector<nlohmann::json> found;
  line([&](const nlohmann::json& verdict) {
    if (verdict.value("path", "") == path) found.push_back(verdict);
    return found.size() == count;
  });
  return found;
}

std::vector<nlohmann::json> JudgeProcess::verdicts_until_accepted(const std::string& path,
                                                                  std::size_t deliveries) const {
  std::vector<nlohmann::json> found;
  std::set<std::string> accepted;
  line([&](const nlohmann::json& verdict) {
    if (verdict.value("path", "") != path) return false;
    found.push_back(verdict);
    if (verdict.at("accepted")) accepted.insert(verdict.at("headers").at("idempotency-key"));
    return accepted.size() == deliveries;
  });
  return found;
}

std::string JudgeProcess::line(const std::function<bool(const nlohmann::json&)>& predicate) const {
  const auto found = program_.wait_for_line(
      Stream::output,
      [&](const std::string& text) { return predicate(nlohmann::json::parse(text)); }, kPatience);
  if (!found) throw std::runtime_error("the judge is silent: " + program_.text(Stream::errors));
  return *found;
}

}  // namespace sealpost
